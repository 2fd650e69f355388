# What a Ruby program does with a cluster: kubeclient, nothing else. Prints one JSON object of what it saw.
require 'json'
require 'kubeclient'

config = Kubeclient::Config.read(ARGV[0])
context = config.context
connect = lambda do |group, version|
  Kubeclient::Client.new(context.api_endpoint + group, version, ssl_options: context.ssl_options, auth_options: context.auth_options, timeouts: { open: 10, read: 30 })
end
core = connect.call('/api', 'v1')
apps = connect.call('/apis/apps', 'v1')
batch = connect.call('/apis/batch', 'v1')
seen = {}

refused = lambda do |&call|
  begin
    call.call
    raise 'nothing was refused'
  rescue Kubeclient::HttpError => error
    { code: error.error_code, message: error.message, kind: error.class.name }
  end
end

# Its methods come from discovery: a name for each kind.
core.discover
seen['discovered'] = %w[create_pod get_config_maps watch_services delete_namespace patch_secret].all? { |name| core.respond_to?(name) }
seen['version'] = core.api_valid?

core.create_namespace(Kubeclient::Resource.new(metadata: { name: 'gems' }))
made = core.create_config_map(Kubeclient::Resource.new(metadata: { name: 'one', namespace: 'gems', labels: { set: 'x' } }, data: { a: '1' }))
made.data.a = '2'
seen['replaced'] = core.update_config_map(made).data.to_h
seen['conflict'] = refused.call { core.update_config_map(made) }
seen['merged'] = core.merge_patch_config_map('one', { data: { b: '3' } }, 'gems').data.to_h
seen['json patched'] = core.json_patch_config_map('one', [{ op: 'remove', path: '/data/a' }], 'gems').data.to_h
seen['patched'] = core.patch_config_map('one', { metadata: { labels: { more: 'y' } } }, 'gems').metadata.labels.to_h
seen['missing'] = refused.call { core.get_config_map('two', 'gems') }
seen['twice'] = refused.call { core.create_config_map(Kubeclient::Resource.new(metadata: { name: 'one', namespace: 'gems' })) }

# Applying from another manager's side, with its conflict.
applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'gems' }, data: { b: '4' } }
seen['apply conflict'] = refused.call { core.apply_config_map(applied, field_manager: 'gem', force: false) }[:code]
seen['applied'] = core.apply_config_map(applied, field_manager: 'gem').data.to_h

# Lists: pages, selectors, raw text; what a watch tells.
5.times { |i| core.create_config_map(Kubeclient::Resource.new(metadata: { name: "page-#{i}", namespace: 'gems', labels: { set: 'pages' } })) }
names = []
token = nil
loop do
  page = core.get_config_maps(namespace: 'gems', label_selector: 'set=pages', limit: 2, continue: token)
  names += page.map { |item| item.metadata.name }
  token = page.continue
  break if page.last?
end
seen['pages'] = names
seen['raw'] = JSON.parse(core.get_config_maps(namespace: 'gems', field_selector: 'metadata.name=one', as: :raw))['kind']
told = []
version = core.get_config_maps(namespace: 'gems').resourceVersion
listener = Thread.new do
  core.watch_config_maps(namespace: 'gems', resource_version: version, label_selector: 'set=told') do |notice|
    told << [notice.type, notice.object.metadata.name]
    break if notice.type == 'DELETED'
  end
end
core.create_config_map(Kubeclient::Resource.new(metadata: { name: 'told', namespace: 'gems', labels: { set: 'told' } }))
core.delete_config_map('told', 'gems')
listener.join(30)
seen['told'] = told

# A deployment, until its pods are ready; a job by the clock; and the end of all of it with the namespace.
template = { metadata: { labels: { app: 'ruby' } }, spec: { containers: [{ name: 'c', image: 'ruby:3' }] } }
apps.create_deployment(Kubeclient::Resource.new(metadata: { name: 'web', namespace: 'gems' }, spec: { replicas: 2, selector: { matchLabels: { app: 'ruby' } }, template: template }))
apps.watch_deployments(namespace: 'gems', name: 'web') do |notice|
  next unless notice.object.status.readyReplicas == 2
  seen['ready'] = true
  break
end
seen['pods'] = core.get_pods(namespace: 'gems', label_selector: 'app=ruby').map { |pod| pod.status.phase }
batch.create_cron_job(Kubeclient::Resource.new(metadata: { name: 'tick', namespace: 'gems' }, spec: { schedule: '@daily', jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } } }))
seen['cron'] = batch.get_cron_job('tick', 'gems').spec.schedule
apps.delete_deployment('web', 'gems', delete_options: { propagationPolicy: 'Foreground' })
going = core.delete_namespace('gems')
core.watch_namespaces(name: 'gems', resource_version: going.metadata.resourceVersion) { |notice| break seen['gone'] = true if notice.type == 'DELETED' }

puts JSON.generate(seen)
