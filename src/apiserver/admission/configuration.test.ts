import { describe, expect, it } from 'vitest'
import { parseAdmissionConfiguration } from './configuration.ts'

const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n'
const none = () => ''

describe('the file of admission', () => {
  it('tells each plugin its own, in the file or in another one', () => {
    const told = parseAdmissionConfiguration(`${head}plugins:
- name: EventRateLimit
  path: events.yaml
- name: PodNodeSelector
  configuration: {podNodeSelectorPluginConfig: {clusterDefaultNodeSelector: a=b}}
- name: ResourceQuota
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: ResourceQuotaConfiguration
    limitedResources: [{resource: pods, matchContains: [gpu]}]
- name: PodSecurity
`, (path) => (path === 'events.yaml' ? 'apiVersion: eventratelimit.admission.k8s.io/v1alpha1\nkind: Configuration\nlimits: [{type: Server, qps: 1, burst: 2}]' : ''))
    expect(told).toEqual({
      EventRateLimit: [{ type: 'Server', qps: 1, burst: 2, cacheSize: 4096 }], PodNodeSelector: new Map([['clusterDefaultNodeSelector', { a: 'b' }]]),
      ResourceQuota: [{ resource: 'pods', matchContains: ['gpu'] }],
    })
  })

  it('may be the configuration of a plugin itself where that had a file to itself long ago', () => {
    expect(parseAdmissionConfiguration('imagePolicy: {kubeConfigFile: /k}\npodNodeSelectorPluginConfig: {x: a=b}\n', none)).toMatchObject({ ImagePolicyWebhook: { kubeConfigFile: '/k' }, PodNodeSelector: new Map([['x', { a: 'b' }]]) })
  })

  it.each([
    ['a plugin that takes none', 'plugins: [{name: Priority}]', 'line 3: plugins[0].name: Unsupported value: "Priority"'],
    ['one plugin twice', 'plugins: [{name: PodSecurity}, {name: PodSecurity}]', 'plugins[1].name: Duplicate value: "PodSecurity"'],
    ['both a path and a configuration', 'plugins: [{name: PodSecurity, path: a, configuration: {}}]', 'either a path or a configuration may be given'],
    ['something wrong in a configuration', 'plugins: [{name: PodNodeSelector, configuration: {podNodeSelectorPluginConfig: {x: a}}}]', 'plugins[0].configuration: podNodeSelectorPluginConfig.x: invalid selector: [a]'],
  ])('with %s is refused', (_, text, message) => expect(() => parseAdmissionConfiguration(head + text, none)).toThrow(message))
})
