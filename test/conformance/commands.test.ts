/** What people type: kubectl's commands beyond get and apply, what they print, and what they say when they are wrong. */
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { run } from '../support/host.ts'

const dir = mkdtempSync(join(tmpdir(), 'skiff-commands-'))
let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(async () => {
  await cluster?.stop()
  rmSync(dir, { recursive: true, force: true })
})

const kubectl = (...args: string[]) => cluster.kubectl(...args)
const fails = async (args: readonly string[], input?: string): Promise<string> => {
  const { code, stderr } = await cluster.tryKubectl(args, input)
  expect(code, args.join(' ')).not.toBe(0)
  return stderr
}
const get = async (...args: string[]) => JSON.parse(await kubectl('get', '-o', 'json', ...args))

const deployment = (name: string) => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels: { app: name } },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } } },
})

describe('kubectl create', () => {
  it.each([
    ['namespace one', 'namespace/one'],
    ['secret generic s --from-literal=a=b', 'secret/s'],
    ['secret docker-registry reg --docker-username=u --docker-password=p', 'secret/reg'],
    ['deployment d --image=x --replicas=0 --port=80', 'deployment.apps/d'],
    ['job j --image=x -- date', 'job.batch/j'],
    ['cronjob cj --image=x --schedule=@hourly -- date', 'cronjob.batch/cj'],
    ['job manual --from=cronjob/cj', 'job.batch/manual'],
    ['ingress i --class=c --rule=example.com/path*=svc:80,tls=secret', 'ingress.networking.k8s.io/i'],
    ['poddisruptionbudget pdb --selector=a=b --min-available=50%', 'poddisruptionbudget.policy/pdb'],
    ['priorityclass pc --value=100 --description=x', 'priorityclass.scheduling.k8s.io/pc'],
    ['quota q --hard=secrets=50', 'resourcequota/q'],
    ['role r --verb=get,list --resource=pods,deployments.apps', 'role.rbac.authorization.k8s.io/r'],
    ['rolebinding rb --role=r --user=bob --serviceaccount=default:default', 'rolebinding.rbac.authorization.k8s.io/rb'],
    ['clusterrole cr --verb=get --non-resource-url=/metrics', 'clusterrole.rbac.authorization.k8s.io/cr'],
    ['clusterrolebinding crb --clusterrole=cr --group=g', 'clusterrolebinding.rbac.authorization.k8s.io/crb'],
    ['service clusterip sc --tcp=80:8080', 'service/sc'],
    ['service nodeport sn --tcp=80', 'service/sn'],
    ['service externalname se --external-name=example.com', 'service/se'],
    ['serviceaccount sa', 'serviceaccount/sa'],
  ])('%s', async (args, made) => {
    expect(await kubectl('create', ...args.split(' '))).toBe(`${made} created\n`)
    expect(await kubectl('get', made, '-o', 'name')).toBe(`${made}\n`)
    expect(await kubectl('describe', made)).toMatch(/^Name:\s/)
  })

  it.each([
    ['namespace one', 'Error from server (AlreadyExists): namespaces "one" already exists'],
    ['namespace Bad_Name', 'The Namespace "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of'],
    ['deployment D --image=x', 'error: failed to create deployment: Deployment.apps "D" is invalid: metadata.name: Invalid value: "D": a lowercase RFC 1123 subdomain must consist of'],
    ['cronjob bad --image=x --schedule=nonsense', 'error: failed to create cronjob: CronJob.batch "bad" is invalid: spec.schedule: Invalid value: "nonsense": expected exactly 5 fields, found 1: [nonsense]'],
    ['priorityclass system-mine --value=1', 'error: failed to create priorityclass: PriorityClass.scheduling.k8s.io "system-mine" is invalid: metadata.name: Forbidden: priority class names with \'system-\' prefix are reserved'],
    ['service nodeport low --tcp=80 --node-port=99', 'error: failed to create NodePort service: Service "low" is invalid: spec.ports[0].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid ports is 30000-32767'],
    ['token nobody', 'error: failed to create token: serviceaccounts "nobody" not found'],
  ])('%s: is refused', async (args, message) => {
    expect(await fails(['create', ...args.split(' ')])).toContain(message)
  })

  it('gives out a node port once', async () => {
    await kubectl('create', 'service', 'nodeport', 'np1', '--tcp=80', '--node-port=30042')
    expect(await fails(['create', 'service', 'nodeport', 'np2', '--tcp=80', '--node-port=30042'])).toContain('spec.ports[0].nodePort: Invalid value: 30042: provided port is already allocated')
  })

  it('makes tokens that say who they are for, and that work', async () => {
    const token = (await kubectl('create', 'token', 'default', '--duration=10m')).trim()
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { sub: string; exp: number; iat: number }
    expect(claims).toMatchObject({ sub: 'system:serviceaccount:default:default' })
    expect(claims.exp - claims.iat).toBe(600)
    const me = await run('kubectl', ['--server', cluster.url, '--insecure-skip-tls-verify', '--token', token, 'auth', 'whoami'], { env: { KUBECONFIG: '/dev/null', HOME: dir } })
    expect(me.stdout).toMatch(/Username\s+system:serviceaccount:default:default\n/)
    expect(me.stdout).toMatch(/Groups\s+\[system:serviceaccounts system:serviceaccounts:default system:authenticated\]/)
  })
})

describe('deployments', () => {
  it('are run, exposed, scaled by a controller, changed and rolled back', async () => {
    await cluster.apply(deployment('web'))
    expect(await kubectl('expose', 'deployment', 'web', '--port=80', '--target-port=8080')).toBe('service/web exposed\n')
    expect((await get('service', 'web')).spec).toMatchObject({ selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] })
    expect(await kubectl('autoscale', 'deployment', 'web', '--min=1', '--max=3', '--cpu-percent=50')).toBe('horizontalpodautoscaler.autoscaling/web autoscaled\n')
    expect(await kubectl('get', 'hpa', 'web')).toMatch(/\nweb\s+Deployment\/web\s+cpu: <unknown>\/50%\s+1\s+3\s+0\s/)
    expect(await kubectl('set', 'image', 'deployment/web', 'c=x:2')).toBe('deployment.apps/web image updated\n')
    await kubectl('wait', '--for=jsonpath={.status.observedGeneration}=2', 'deployment/web', '--timeout=20s')
    expect(await kubectl('set', 'env', 'deployment/web', 'A=B')).toBe('deployment.apps/web env updated\n')
    expect(await kubectl('set', 'resources', 'deployment/web', '--limits=cpu=100m')).toBe('deployment.apps/web resource requirements updated\n')
    expect(await kubectl('rollout', 'restart', 'deployment/web')).toBe('deployment.apps/web restarted\n')
    expect(await kubectl('rollout', 'undo', 'deployment/web', '--to-revision=1')).toBe('deployment.apps/web rolled back\n')
    expect((await get('deployment', 'web')).spec.template.spec.containers[0]).toMatchObject({ image: 'x:1', resources: {} })
    expect(await fails(['rollout', 'undo', 'deployment/web', '--to-revision=99'])).toContain('error: unable to find specified revision 99 in history\n')
    expect(await fails(['rollout', 'status', 'deployment/web', '--timeout=1s'])).toContain('timed out waiting for the condition')
  })

  it('count a generation when their annotations change, and none when their controller notes a revision', async () => {
    await cluster.apply(deployment('counted'))
    await kubectl('wait', '--for=jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}=1', 'deployment/counted', '--timeout=20s')
    const generation = () => kubectl('get', 'deployment', 'counted', '-o', 'jsonpath={.metadata.generation}')
    expect(await generation()).toBe('1')
    await kubectl('annotate', 'deployment', 'counted', 'asks=something')
    expect(await generation()).toBe('2')
    await kubectl('label', 'deployment', 'counted', 'says=nothing')
    expect(await generation()).toBe('2')
    await kubectl('wait', '--for=jsonpath={.status.observedGeneration}=2', 'deployment/counted', '--timeout=20s')
  })

  it('are edited', async () => {
    await cluster.apply(deployment('edited'))
    const editor = join(dir, 'editor')
    const edit = (script: string) => {
      writeFileSync(editor, `#!/bin/sh\nsed -i '${script}' "$1"\n`)
      chmodSync(editor, 0o755)
      return run('kubectl', ['edit', 'deployment', 'edited'], { env: { KUBECONFIG: cluster.kubeconfig, HOME: dir, KUBE_EDITOR: editor }, timeoutMs: 20_000 })
    }
    expect((await edit('s/replicas: 1/replicas: 2/')).stdout).toBe('deployment.apps/edited edited\n')
    expect((await get('deployment', 'edited')).spec.replicas).toBe(2)
    expect((await edit('')).stderr).toContain('Edit cancelled, no changes made.')
    const wrong = await edit('s/replicas: 2/replicas: two/')
    expect(wrong.code).toBe(1)
    // Why stands at the head of what is opened again: the editor leaves it as it is.
    expect(wrong.stderr).toContain('error: deployments.apps "edited" is invalid')
  })

  it('are replaced, also by force', async () => {
    await cluster.apply(deployment('replaced'))
    const { uid } = (await get('deployment', 'replaced')).metadata
    const next = JSON.stringify({ ...deployment('replaced'), spec: { ...deployment('replaced').spec, replicas: 3 } })
    expect((await cluster.tryKubectl(['replace', '-f', '-'], next)).stdout).toBe('deployment.apps/replaced replaced\n')
    expect((await get('deployment', 'replaced'))).toMatchObject({ metadata: { uid }, spec: { replicas: 3 } })
    expect((await cluster.tryKubectl(['replace', '--force', '-f', '-'], next)).stdout).toMatch(/^deployment\.apps "replaced" deleted( from default namespace)?\ndeployment\.apps\/replaced replaced\n$/)
    expect((await get('deployment', 'replaced')).metadata.uid).not.toBe(uid)
    expect((await cluster.tryKubectl(['replace', '-f', '-'], JSON.stringify(deployment('none')))).stderr).toContain('deployments.apps "none" not found')
  })

  it('are patched, or not', async () => {
    await cluster.apply(deployment('patched'))
    const patch = (...args: string[]) => ['patch', 'deployment', 'patched', ...args]
    expect(await kubectl(...patch('-p', '{}'))).toBe('deployment.apps/patched patched (no change)\n')
    expect(await fails(patch('--type=json', '-p', '[{"op":"test","path":"/spec/replicas","value":9}]'))).toContain('The request is invalid: the server rejected our request due to an error in our request')
    expect(await fails(patch('--type=merge', '-p', '{"spec":{"selector":{"matchLabels":{"a":"b"}}}}'))).toContain('field is immutable')
    expect(await fails(['patch', 'deployment', 'none', '-p', '{}'])).toBe('Error from server (NotFound): deployments.apps "none" not found\n')
    expect((await cluster.tryKubectl(patch('-p', '{"spec":{"nope":1}}'))).stderr).toBe('Warning: unknown field "spec.nope"\n')
    expect(await kubectl('scale', 'deployment', 'patched', '--replicas=2', '--current-replicas=1')).toBe('deployment.apps/patched scaled\n')
    expect(await fails(['scale', 'deployment', 'patched', '--replicas=3', '--current-replicas=7'])).toContain('Expected replicas to be 7, was 2')
  })
})

describe('kubectl apply', () => {
  it('prunes what is no longer there', async () => {
    const config = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { pruned: 'yes' } } })
    const prune = (...names: string[]) => cluster.tryKubectl(['apply', '--prune', '-l', 'pruned=yes', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: names.map(config) }))
    expect((await prune('keep', 'drop')).stdout).toBe('configmap/keep created\nconfigmap/drop created\n')
    expect((await prune('keep')).stdout).toBe('configmap/keep unchanged\nconfigmap/drop pruned\n')
  })

  it('does what it can of several documents', async () => {
    const text = ['ConfigMap', 'Nope', 'Secret'].map((kind) => `apiVersion: v1\nkind: ${kind}\nmetadata: {name: several}\n`).join('---\n')
    const { code, stdout, stderr } = await cluster.tryKubectl(['apply', '-f', '-'], text)
    expect([code, stdout]).toEqual([1, 'configmap/several created\nsecret/several created\n'])
    expect(stderr).toContain('no matches for kind "Nope" in version "v1"')
  })

  it.each([
    ['a field that there is not', { spec: { containers: [{ name: 'a', image: 'x', foo: 1 }] } }, 'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].foo"'],
    ['a port that there is not', { spec: { containers: [{ name: 'a', image: 'x', ports: [{ containerPort: 99999 }] }] } }, 'The Pod "bad" is invalid: spec.containers[0].ports[0].containerPort: Invalid value: 99999: must be between 1 and 65535, inclusive'],
    ['a quantity that is none', { spec: { containers: [{ name: 'a', image: 'x', resources: { limits: { cpu: 'lots' } } }] } }, 'quantities must match the regular expression'],
    ['a class that there is not', { spec: { priorityClassName: 'none', containers: [{ name: 'a', image: 'x' }] } }, 'pods "bad" is forbidden: no PriorityClass with name none was found'],
    ['an account that there is not', { spec: { serviceAccountName: 'none', containers: [{ name: 'a', image: 'x' }] } }, 'pods "bad" is forbidden: error looking up service account default/none: serviceaccount "none" not found'],
  ])('refuses %s', async (_, rest, message) => {
    expect(await fails(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, ...rest }))).toContain(message)
  })
})

describe('kubectl diff', () => {
  it('shows what an apply would change, and changes nothing', async () => {
    const config = (value: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'compared' }, data: { key: value } })
    expect((await cluster.tryKubectl(['diff', '-f', '-'], config('new'))).stdout).toContain('+  key: new')
    await cluster.apply(config('old'))
    for (const way of [[], ['--server-side', '--force-conflicts']]) {
      const { code, stdout } = await cluster.tryKubectl(['diff', ...way, '-f', '-'], config('other'))
      expect([code, stdout]).toEqual([1, expect.stringMatching(/-  key: old\n\+  key: other\n/)])
    }
    expect(await cluster.tryKubectl(['diff', '-f', '-'], config('old'))).toMatchObject({ code: 0, stdout: '' })
    expect((await get('configmap', 'compared')).data).toEqual({ key: 'old' })
  })
})

describe('kubectl wait', () => {
  it('waits for values, for what comes and for what goes', async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'awaited' }, data: { phase: 'one' } })
    expect(await kubectl('wait', '--for=jsonpath={.data.phase}=one', 'configmap/awaited', '--timeout=5s')).toBe('configmap/awaited condition met\n')
    const [two, made, gone] = [kubectl('wait', '--for=jsonpath={.data.phase}=two', 'configmap/awaited', '--timeout=20s'), kubectl('wait', '--for=create', 'configmap/late', '--timeout=20s'), kubectl('wait', '--for=delete', 'configmap/awaited', '--timeout=20s')]
    await kubectl('patch', 'configmap', 'awaited', '-p', '{"data":{"phase":"two"}}')
    expect(await two).toBe('configmap/awaited condition met\n')
    await kubectl('create', 'configmap', 'late')
    expect(await made).toBe('configmap/late condition met\n')
    await kubectl('delete', 'configmap', 'awaited')
    expect(await gone).toBe('configmap/awaited condition met\n')
    expect(await fails(['wait', '--for=jsonpath={.data.phase}=never', 'configmap/late', '--timeout=1s'])).toContain('timed out waiting for the condition on configmaps/late')
  })
})

describe('kubectl debug', () => {
  it('adds a container to a pod, copies a pod, and puts one beside a node', async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'debugged' } })
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'patient', labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } })
    await kubectl('debug', 'patient', '--image=tools', '--profile=general', '--attach=false', '-c', 'doctor', '--target=c', '--', 'sh')
    expect((await get('pod', 'patient')).spec.ephemeralContainers).toMatchObject([{ name: 'doctor', image: 'tools', targetContainerName: 'c', command: ['sh'] }])
    await kubectl('debug', 'patient', '--copy-to=copy', '--image=tools', '--profile=general', '--attach=false', '--share-processes', '--set-image=c=y', '-c', 'doctor')
    expect((await get('pod', 'copy')).spec).toMatchObject({ shareProcessNamespace: true, containers: [{ name: 'c', image: 'y' }, { name: 'doctor', image: 'tools' }] })
    const [, name = ''] = /debugging pod (\S+) with container debugger on node debugged/.exec(await kubectl('debug', 'node/debugged', '--image=tools', '--profile=sysadmin', '--attach=false')) ?? []
    expect((await get('pod', name)).spec).toMatchObject({ nodeName: 'debugged', hostNetwork: true, hostPID: true, hostIPC: true, containers: [{ securityContext: { privileged: true }, volumeMounts: expect.arrayContaining([expect.objectContaining({ mountPath: '/host' })]) as unknown }] })
    await kubectl('delete', 'pod', 'patient', 'copy', name, '--grace-period=0', '--force')
    await kubectl('delete', 'node', 'debugged')
  })
})

describe('nodes', () => {
  it('are cordoned, tainted and drained', async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels: { 'kubernetes.io/hostname': 'n1', 'node-role.kubernetes.io/control-plane': '' } } })
    expect(await kubectl('cordon', 'n1')).toBe('node/n1 cordoned\n')
    expect(await kubectl('get', 'nodes')).toMatch(/\nn1\s+Unknown,SchedulingDisabled\s+control-plane\s/)
    expect(await kubectl('uncordon', 'n1')).toBe('node/n1 uncordoned\n')
    expect(await kubectl('taint', 'nodes', 'n1', 'a=b:NoSchedule')).toBe('node/n1 tainted\n')
    expect(await kubectl('taint', 'nodes', 'n1', 'a-')).toBe('node/n1 untainted\n')
    expect(await kubectl('drain', 'n1', '--ignore-daemonsets', '--timeout=20s')).toBe('node/n1 cordoned\nnode/n1 drained\n')
    expect(await kubectl('describe', 'node', 'n1')).toMatch(/Unschedulable:\s+true/)
  })
})

describe('certificates', () => {
  it('are asked for, looked at and approved once', async () => {
    const request = execFileSync('openssl', ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', join(dir, 'key.pem'), '-subj', '/CN=alice/O=devs'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString('base64')
    await cluster.apply({ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name: 'alice' }, spec: { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] } })
    expect(await kubectl('get', 'csr')).toMatch(/\nalice\s+\S+\s+kubernetes.io\/kube-apiserver-client\s+kubernetes-admin\s+<none>\s+Pending\n/)
    expect(await kubectl('certificate', 'approve', 'alice')).toBe('certificatesigningrequest.certificates.k8s.io/alice approved\n')
    expect(await kubectl('get', 'csr', 'alice')).toMatch(/\sApproved/)
    expect(await fails(['certificate', 'deny', 'alice'])).toBe('error: certificate signing request "alice" is already Approved\n')
    expect(await fails(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name: 'bad' }, spec: { request: 'aGVsbG8=', signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] } }))).toContain('spec.request: Invalid value')
  })
})

describe('questions', () => {
  it('about rights are answered', async () => {
    expect((await kubectl('auth', 'can-i', 'create', 'deployments')).trim()).toBe('yes')
    expect(await kubectl('auth', 'whoami')).toMatch(/Username\s+kubernetes-admin\n/)
    const list = await kubectl('auth', 'can-i', '--list', '--as=stranger')
    expect(list).toMatch(/selfsubjectaccessreviews\.authorization\.k8s\.io\s+\[\]\s+\[\]\s+\[create\]/)
    expect(await fails(['get', 'nodes', '--as=stranger'])).toBe('Error from server (Forbidden): nodes is forbidden: User "stranger" cannot list resource "nodes" in API group "" at the cluster scope\n')
    expect(await fails(['delete', 'secret', 'x', '--as=stranger'])).toBe('Error from server (Forbidden): secrets "x" is forbidden: User "stranger" cannot delete resource "secrets" in API group "" in the namespace "default"\n')
  })

  it('about what is not there are answered too', async () => {
    expect(await fails(['get', 'nothings'])).toBe('error: the server doesn\'t have a resource type "nothings"\n')
    expect(await fails(['get', 'pod', 'none'])).toBe('Error from server (NotFound): pods "none" not found\n')
    expect((await cluster.tryKubectl(['get', 'pods', '-n', 'none'])).stderr).toBe('No resources found in none namespace.\n')
    expect(await fails(['get', 'pods', '--field-selector=spec.nope=1'])).toContain('field label not supported: spec.nope')
    expect(await fails(['get', 'pods', '-l', 'a in (b'])).toContain('unable to parse requirement: found \'\', expected: \',\' or \')\'')
    expect(await fails(['get', '--raw', '/nope'])).toBe('Error from server (NotFound): the server could not find the requested resource\n')
    expect(await fails(['top', 'nodes'])).toBe('error: Metrics API not available\n')
    expect(await fails(['delete', 'namespace', 'default'])).toContain('namespaces "default" is forbidden: this namespace may not be deleted')
  })

  it('about the cluster are answered', async () => {
    expect(await kubectl('cluster-info')).toContain(`is running at`)
    await kubectl('cluster-info', 'dump', `--output-directory=${join(dir, 'dump')}`)
    expect(readdirSync(join(dir, 'dump', 'kube-system'))).toEqual(expect.arrayContaining(['daemonsets.json', 'deployments.json', 'events.json', 'pods.json', 'services.json']))
    expect(JSON.parse(readFileSync(join(dir, 'dump', 'default', 'services.json'), 'utf8'))).toMatchObject({ kind: 'ServiceList', items: expect.arrayContaining([expect.objectContaining({ metadata: expect.objectContaining({ name: 'kubernetes' }) as unknown })]) as unknown })
    expect((await kubectl('api-versions')).trim().split('\n')).toEqual(expect.arrayContaining(['v1', 'apps/v1', 'batch/v1', 'networking.k8s.io/v1', 'rbac.authorization.k8s.io/v1']))
    expect((await cluster.tryKubectl(['get', 'endpoints'])).stderr).toBe('Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n')
    expect(await kubectl('get', '--raw', '/readyz?verbose')).toContain('readyz check passed')
  })

  it('about fields are answered, as deep as asked', async () => {
    expect(await kubectl('explain', 'deployment', '--recursive')).toMatch(/\n {12}secret\t<SecretProjection>\n|livenessProbe/)
    expect(await kubectl('explain', 'hpa', '--api-version=autoscaling/v1')).toMatch(/GROUP:\s+autoscaling\nKIND:\s+HorizontalPodAutoscaler\nVERSION:\s+v1\n/)
    expect(await fails(['explain', 'pod.nosuch'])).toContain('error: field "nosuch" does not exist')
  })
})

describe('events', () => {
  it('are listed, selected and sorted', async () => {
    await cluster.apply(deployment('eventful'))
    await kubectl('wait', '--for=jsonpath={.status.observedGeneration}=1', 'deployment/eventful', '--timeout=20s')
    const events = await kubectl('events', '--for', 'deployment/eventful')
    expect(events).toMatch(/Normal\s+ScalingReplicaSet\s+Deployment\/eventful\s+Scaled up replica set eventful-\S+ from 0 to 1/)
    expect(await kubectl('get', 'events', '--field-selector=involvedObject.name=eventful,reason=ScalingReplicaSet', '-o', 'name')).toMatch(/^event\/eventful\./)
    expect(await kubectl('get', 'events.events.k8s.io', '--field-selector=regarding.kind=Deployment,regarding.name=eventful,reportingController=deployment-controller,type=Normal', '-o', 'name')).toMatch(/^event\.events\.k8s\.io\/eventful\./)
    expect(await fails(['get', 'events.events.k8s.io', '--field-selector=involvedObject.name=eventful'])).toContain('field label not supported: involvedObject.name')
    expect(await kubectl('get', 'events', '--sort-by=.lastTimestamp', '-o', 'wide')).toMatch(/^LAST SEEN\s+TYPE\s+REASON\s+OBJECT\s+SUBOBJECT\s+SOURCE\s+MESSAGE\s+FIRST SEEN\s+COUNT\s+NAME/)
  })
})
