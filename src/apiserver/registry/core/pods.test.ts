import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { complete, context, created, createErrors, environment, row, updateErrors, updated } from '../testing.ts'
import { strategyFor } from '../strategies.ts'

const pod = (spec: object, metadata: object = {}) => ({ metadata: { name: 'web', namespace: 'default', ...metadata }, spec })
const web = { name: 'web', image: 'nginx:1.27' }
const strategy = strategyFor(core.pods as never, environment) as import('../../strategy.ts').Strategy<core.Pod>

describe('a pod that says only its image', () => {
  const object = complete(core.pods, pod({ containers: [web] }))

  it('gets what Kubernetes fills in', () => {
    expect(object.spec).toEqual({
      containers: [{ name: 'web', image: 'nginx:1.27', resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', imagePullPolicy: 'IfNotPresent' }],
      restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler', securityContext: {}, enableServiceLinks: true,
    })
  })

  it('stays the same when it is defaulted again', () => {
    expect(strategy.default?.(object)).toEqual(object)
  })

  it('starts pending, in its class of service', () => {
    expect(created(core.pods, pod({ containers: [web] })).status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' })
  })

  it('is accepted', () => {
    expect(createErrors(core.pods, pod({ containers: [web] }))).toEqual([])
  })
})

describe('defaults of a pod', () => {
  it.each([
    ['nginx', 'Always'], ['nginx:latest', 'Always'], ['nginx:1.27', 'IfNotPresent'], ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'], [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'], ['a b::', 'IfNotPresent'], ['Nginx', 'IfNotPresent'],
    ['Registry.example:5000/a/b', 'Always'], ['[fd00::1]:5000/a', 'Always'], ['a__b/c--d', 'Always'], [`a:latest@sha256:${'a'.repeat(64)}`, 'Always'],
  ])('pulls %s %s', (image, policy) => {
    expect(complete(core.pods, pod({ containers: [{ name: 'a', image }] })).spec.containers[0]?.imagePullPolicy).toBe(policy)
  })

  it('completes probes and hooks', () => {
    const httpGet = { port: 80 }
    const container = complete(core.pods, pod({ containers: [{ ...web, livenessProbe: { httpGet }, lifecycle: { preStop: { httpGet } } }] })).spec.containers[0]
    expect(container?.livenessProbe).toEqual({ httpGet: { path: '/', port: 80, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
    expect(container?.lifecycle?.preStop?.httpGet).toEqual({ path: '/', port: 80, scheme: 'HTTP' })
  })

  it('requests what is limited', () => {
    const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m' } }
    expect(complete(core.pods, pod({ containers: [{ ...web, resources }] })).spec.containers[0]?.resources.requests).toEqual({ cpu: '100m', memory: '1Gi' })
  })

  it('puts container ports on the host when the pod uses its network', () => {
    const object = complete(core.pods, pod({ hostNetwork: true, containers: [{ ...web, ports: [{ containerPort: 80 }] }] }))
    expect(object.spec.containers[0]?.ports).toEqual([{ hostPort: 80, containerPort: 80, protocol: 'TCP' }])
  })

  it('keeps both names of the service account the same', () => {
    expect(complete(core.pods, pod({ containers: [web], serviceAccount: 'builder' })).spec).toMatchObject({ serviceAccountName: 'builder', serviceAccount: 'builder' })
    expect(complete(core.pods, pod({ containers: [web], serviceAccount: 'old', serviceAccountName: 'new' })).spec).toMatchObject({ serviceAccountName: 'new', serviceAccount: 'new' })
  })

  it('completes volumes', () => {
    const volumes = [
      { name: 'a' }, { name: 'b', secret: { secretName: 's' } }, { name: 'c', hostPath: { path: '/x' } },
      { name: 'd', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { downwardAPI: { items: [{ path: 'n', fieldRef: { fieldPath: 'metadata.name' } }] } }] } },
    ]
    expect(complete(core.pods, pod({ containers: [web], volumes })).spec.volumes).toEqual([
      { name: 'a', emptyDir: {} }, { name: 'b', secret: { secretName: 's', defaultMode: 420 } }, { name: 'c', hostPath: { path: '/x', type: '' } },
      { name: 'd', projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }, { downwardAPI: { items: [{ path: 'n', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }] } }] } },
    ])
  })
})

describe('the class of service', () => {
  it.each([
    [{}, 'BestEffort'],
    [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ requests: { memory: '1Gi' } }, 'Burstable'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } }, 'Burstable'],
  ])('of %j is %s', (resources, qos) => {
    expect(created(core.pods, pod({ containers: [{ ...web, resources }] })).status.qosClass).toBe(qos)
  })
})

describe('what is wrong with a pod', () => {
  const c = (more: object) => pod({ containers: [{ ...web, ...more }] })
  const p = (more: object) => pod({ containers: [web], ...more })
  it.each<[string, object, string[]]>([
    ['no containers', pod({ containers: [] }), ['spec.containers: Required value']],
    ['no image', pod({ containers: [{ name: 'a' }] }), ['spec.containers[0].image: Required value']],
    ['image with spaces', c({ image: ' nginx' }), ['spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace']],
    ['no name', pod({ containers: [{ image: 'a' }] }), ['spec.containers[0].name: Required value']],
    ['the same name twice', pod({ containers: [web, web] }), ['spec.containers[1].name: Duplicate value: "web"']],
    ['pull policy', c({ imagePullPolicy: 'Sometimes' }), ['spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"']],
    ['restart policy', p({ restartPolicy: 'Maybe' }), ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"']],
    ['dns policy', p({ dnsPolicy: 'X' }), ['spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"']],
    ['port', c({ ports: [{ containerPort: 70000 }] }), ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive']],
    ['port name', c({ ports: [{ containerPort: 80, name: 'http' }, { containerPort: 81, name: 'http' }] }), ['spec.containers[0].ports[1].name: Duplicate value: "http"']],
    ['host port twice', pod({ containers: [{ ...web, ports: [{ containerPort: 80, hostPort: 80 }] }, { ...web, name: 'b', ports: [{ containerPort: 81, hostPort: 80 }] }] }),
      ['spec.containers[1].ports[0].hostPort: Duplicate value: "TCP//80"']],
    ['environment name', c({ env: [{ name: 'a=b' }] }), ["spec.containers[0].env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='"]],
    ['environment field', c({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } }] }),
      ['spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"']],
    ['mount of no volume', c({ volumeMounts: [{ name: 'x', mountPath: '/x' }] }), ['spec.containers[0].volumeMounts[0].name: Not found: "x"']],
    ['the same mount path twice', pod({ volumes: [{ name: 'x' }], containers: [{ ...web, volumeMounts: [{ name: 'x', mountPath: '/x' }, { name: 'x', mountPath: '/x' }] }] }),
      ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique']],
    ['a volume of two kinds', p({ volumes: [{ name: 'x', emptyDir: {}, hostPath: { path: '/x' } }] }), ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type']],
    ['the same volume name twice', p({ volumes: [{ name: 'x' }, { name: 'x' }] }), ['spec.volumes[1].name: Duplicate value: "x"']],
    ['secret volume without name', p({ volumes: [{ name: 'x', secret: {} }] }), ['spec.volumes[0].secret.secretName: Required value']],
    ['claim volume without name', p({ volumes: [{ name: 'x', persistentVolumeClaim: {} }] }), ['spec.volumes[0].persistentVolumeClaim.claimName: Required value']],
    ['file mode', p({ volumes: [{ name: 'x', configMap: { name: 'c', defaultMode: 512 } }] }), ['spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive']],
    ['request over limit', c({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }), ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1']],
    ['negative limit', c({ resources: { limits: { memory: '-1' } } }), [
      'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
      'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
    ]],
    ['unknown resource', c({ resources: { limits: { apples: '1' }, requests: { apples: '1' } } }), [
      'spec.containers[0].resources.limits[apples]: Invalid value: "apples": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.limits[apples]: Invalid value: "apples": must be a standard resource for containers',
      'spec.containers[0].resources.requests[apples]: Invalid value: "apples": must be a standard resource type or fully qualified',
      'spec.containers[0].resources.requests[apples]: Invalid value: "apples": must be a standard resource for containers',
    ]],
    ['probe without handler', c({ readinessProbe: {} }), ['spec.containers[0].readinessProbe: Required value: must specify a handler type']],
    ['probe with two handlers', c({ readinessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } }), ['spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type']],
    ['liveness success threshold', c({ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }), ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1']],
    ['probe on an init container', p({ initContainers: [{ name: 'i', image: 'a', readinessProbe: { tcpSocket: { port: 1 } } }] }),
      ['spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always']],
    ['toleration', p({ tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 1 }] }),
      ["spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when `tolerationSeconds` is set"]],
    ['node affinity without terms', p({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } }),
      ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term']],
    ['spread', p({ topologySpreadConstraints: [{ maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] }),
      ['spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero']],
    ['privileged without escalation', c({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      ['spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true']],
    ['ephemeral containers', p({ ephemeralContainers: [{ name: 'd', image: 'busybox' }] }), ['spec.ephemeralContainers: Forbidden: cannot be set on create']],
    ['gates on a bound pod', p({ nodeName: 'n', schedulingGates: [{ name: 'g' }] }), ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared']],
  ])('%s', (_, object, errors) => {
    expect(createErrors(core.pods, object)).toEqual(errors)
  })
})

describe('an update of a pod', () => {
  const current = created(core.pods, pod({ containers: [web], terminationGracePeriodSeconds: 5, tolerations: [{ key: 'a', operator: 'Exists' }] }))
  const change = (spec: object) => updateErrors(core.pods, pod({ ...current.spec, ...spec }), current)

  it('may change images and shorten its life', () => {
    expect(change({ containers: [{ ...current.spec.containers[0], image: 'nginx:1.28' }], activeDeadlineSeconds: 10 })).toEqual([])
  })

  it('may add tolerations but not take them away', () => {
    expect(change({ tolerations: [{ key: 'a', operator: 'Exists' }, { key: 'b', operator: 'Exists' }] })).toEqual([])
    expect(change({ tolerations: [] })).toEqual(['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'])
  })

  it('may change nothing else, and says so in the known sentence', () => {
    const [error] = change({ nodeSelector: { disk: 'ssd' } })
    expect(error).toBe('spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n+ \tnodeSelector: {"disk":"ssd"}')
  })

  it('may not add containers', () => {
    expect(change({ containers: [web, { ...web, name: 'b' }] })).toEqual(['spec.containers: Forbidden: pod updates may not add or remove containers'])
  })

  it('keeps the status', () => {
    expect(updated(core.pods, { ...pod(current.spec), status: { phase: 'Running' } }, current).status).toEqual(current.status)
  })

  it('lets a gated pod be narrowed and released', () => {
    const gated = created(core.pods, pod({ containers: [web], schedulingGates: [{ name: 'g' }] }))
    expect(gated.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }])
    expect(updateErrors(core.pods, pod({ ...gated.spec, schedulingGates: [], nodeSelector: { a: 'b' } }), gated)).toEqual([])
    expect(updateErrors(core.pods, pod({ ...gated.spec, schedulingGates: [{ name: 'g' }, { name: 'h' }] }), gated))
      .toEqual(["spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'"])
  })

  it('takes new ephemeral containers through their subresource only', () => {
    const ctx = context({ subresource: 'ephemeralcontainers' })
    const next = pod({ ...current.spec, nodeSelector: { a: 'b' }, ephemeralContainers: [{ name: 'debug', image: 'busybox' }] })
    expect(updateErrors(core.pods, next, current, ctx)).toEqual([])
    const stored = updated(core.pods, next, current, ctx)
    expect(stored.spec.nodeSelector).toBeUndefined()
    expect(updateErrors(core.pods, pod(current.spec), stored, ctx)).toEqual(['spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n'])
  })

  it('resizes within the class of service', () => {
    const ctx = context({ subresource: 'resize' })
    const sized = created(core.pods, pod({ containers: [{ ...web, resources: { requests: { cpu: '1' } } }] }))
    const with_ = (resources: object) => pod({ ...sized.spec, containers: [{ ...sized.spec.containers[0], resources }] })
    expect(updateErrors(core.pods, with_({ requests: { cpu: '2' } }), sized, ctx)).toEqual([])
    expect(updateErrors(core.pods, with_({ requests: { cpu: '1' }, limits: { 'ephemeral-storage': '1Gi' } }), sized, ctx))
      .toContain('spec: Forbidden: only cpu and memory resources are mutable')
    expect(updateErrors(core.pods, with_({ limits: { cpu: '1', memory: '1Gi' } }), sized, ctx)).toContain('spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing')
  })
})

describe('a pod with resources as a whole', () => {
  it('requests what its containers request, or what it is limited to', () => {
    const { spec } = complete(core.pods, pod({ resources: { limits: { cpu: '2', memory: '1Gi' } }, containers: [{ ...web, resources: { requests: { cpu: '300m' } } }, { ...web, name: 'b', resources: { requests: { cpu: '200m' } } }] }))
    expect(spec.resources?.requests).toEqual({ cpu: '500m', memory: '1Gi' })
  })
  it('requests what its containers request of what it does not name itself', () => {
    const { spec } = complete(core.pods, pod({ resources: { requests: { cpu: '1' } }, containers: [{ ...web, resources: { requests: { memory: '1Gi', 'ephemeral-storage': '1Gi' } } }] }))
    expect(spec.resources?.requests).toEqual({ cpu: '1', memory: '1Gi' })
  })
  it('is limited to the huge pages of its containers, and requests those', () => {
    const { spec } = complete(core.pods, pod({ resources: { limits: { cpu: '1' } }, containers: [{ ...web, resources: { limits: { 'hugepages-2Mi': '2Mi', memory: '1Gi' } } }] }))
    expect(spec.resources).toEqual({ limits: { cpu: '1', 'hugepages-2Mi': '2Mi' }, requests: { cpu: '1', memory: '1Gi', 'hugepages-2Mi': '2Mi' } })
  })
  it('requests what its init containers need beside the sidecars', () => {
    const side = { name: 's', image: 'i', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } }
    const init = { name: 'i', image: 'i', resources: { requests: { cpu: '4' } } }
    const { spec } = complete(core.pods, pod({ resources: { limits: { cpu: '8' } }, initContainers: [side, init], containers: [{ ...web, resources: { requests: { cpu: '2' } } }] }))
    expect(spec.resources?.requests).toEqual({ cpu: '5' })
    expect(createErrors(core.pods, pod({ resources: { requests: { cpu: '4' } }, initContainers: [side, init], containers: [web] })))
      .toEqual(['spec.resources.requests[cpu]: Invalid value: "4": must be greater than or equal to aggregate container requests of 5'])
  })
  it('has whole huge pages, and memory or cpu beside them', () => {
    const amounts = { 'hugepages-2Mi': '3Mi' }
    expect(createErrors(core.pods, pod({ resources: { limits: amounts, requests: amounts }, containers: [web] }))).toEqual([
      'spec.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'spec.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'spec.resources: Forbidden: HugePages require cpu or memory',
    ])
  })
  it('cannot request less than its containers', () => {
    expect(createErrors(core.pods, pod({ resources: { requests: { cpu: '100m' } }, containers: [{ ...web, resources: { requests: { cpu: '1' } } }] })))
      .toEqual(['spec.resources.requests[cpu]: Invalid value: "100m": must be greater than or equal to aggregate container requests of 1'])
  })
})

describe('warnings about a pod', () => {
  it('name what is hidden or said twice', () => {
    const container = { ...web, env: [{ name: 'A', value: '1' }, { name: 'A', value: '2' }], ports: [{ containerPort: 80 }, { containerPort: 80 }], resources: { limits: { memory: '0.5' } } }
    expect(strategy.warnings?.(complete(core.pods, pod({ containers: [container], terminationGracePeriodSeconds: -1 })))).toEqual([
      'spec.containers[0].resources.limits[memory]: fractional byte value "500m" is invalid, must be an integer',
      'spec.containers[0].resources.requests[memory]: fractional byte value "500m" is invalid, must be an integer',
      'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
      'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
    ])
  })
})

describe('deleting a pod', () => {
  const bound = created(core.pods, pod({ containers: [web], nodeName: 'n1', terminationGracePeriodSeconds: 20 }))
  it('gives a bound pod the time it asks for, or what the client asks for', () => {
    expect(strategy.gracePeriodSeconds?.(bound, undefined)).toBe(20)
    expect(strategy.gracePeriodSeconds?.(bound, 3)).toBe(3)
    expect(strategy.gracePeriodSeconds?.(bound, -5)).toBe(1)
  })
  it('takes away at once what no node has, and what is over', () => {
    expect(strategy.gracePeriodSeconds?.({ ...bound, spec: { ...bound.spec, nodeName: undefined } }, 10)).toBe(0)
    expect(strategy.gracePeriodSeconds?.({ ...bound, status: { phase: 'Succeeded' } }, 10)).toBe(0)
  })
})

describe('kubectl get pods', () => {
  const status = (name: string, state: object, more: object = {}) => ({ name, image: 'i', imageID: '', ready: false, restartCount: 0, state, lastState: {}, ...more })
  const show = (spec: object, podStatus: object, metadata: object = {}) =>
    row(core.pods, complete(core.pods, { ...pod({ containers: [web], ...spec }, { creationTimestamp: '2026-01-01T11:55:00Z', ...metadata }), status: podStatus }))
  const running = status('web', { running: { startedAt: '2026-01-01T11:56:00Z' } }, { ready: true, started: true })

  it('shows a running pod', () => {
    expect(show({ nodeName: 'n1' }, { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], containerStatuses: [running] })).toEqual({
      Name: 'web', Ready: '1/1', Status: 'Running', Restarts: '0', Age: '5m', IP: '10.0.0.1', Node: 'n1', 'Nominated Node': '<none>', 'Readiness Gates': '<none>',
    })
  })

  const crashed = status('web', { waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 3, lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T11:58:00Z' } } })
  const init = (state: object, more: object = {}) => status('i', state, more)
  const withInit = { initContainers: [{ name: 'i', image: 'a' }, { name: 'j', image: 'a' }] }
  it.each<[string, object, object, object]>([
    ['a crash loop', {}, { phase: 'Running', containerStatuses: [crashed] }, { Ready: '0/1', Status: 'CrashLoopBackOff', Restarts: '3 (2m ago)' }],
    ['an init container at work', withInit, { phase: 'Pending', initContainerStatuses: [init({ running: { startedAt: '2026-01-01T11:58:00Z' } })] }, { Status: 'Init:0/2' }],
    ['an init container that failed', withInit, { phase: 'Pending', initContainerStatuses: [init({ terminated: { exitCode: 2 } })] }, { Status: 'Init:ExitCode:2' }],
    ['an init container that waits', withInit, { phase: 'Pending', initContainerStatuses: [init({ waiting: { reason: 'ImagePullBackOff' } })] }, { Status: 'Init:ImagePullBackOff' }],
    ['the second init container', withInit, { phase: 'Pending', initContainerStatuses: [init({ terminated: { exitCode: 0, reason: 'Completed' } }), { ...init({ waiting: { reason: 'PodInitializing' } }), name: 'j' }] }, { Status: 'Init:1/2' }],
    ['a finished pod', {}, { phase: 'Succeeded', containerStatuses: [status('web', { terminated: { exitCode: 0, reason: 'Completed' } })] }, { Ready: '0/1', Status: 'Completed' }],
    ['a killed container', {}, { phase: 'Failed', containerStatuses: [status('web', { terminated: { exitCode: 137, signal: 9 } })] }, { Status: 'Signal:9' }],
    ['an evicted pod', {}, { phase: 'Failed', reason: 'Evicted' }, { Status: 'Evicted' }],
    ['a sidecar', { initContainers: [{ name: 'i', image: 'a', restartPolicy: 'Always' }] },
      { phase: 'Running', conditions: [{ type: 'Initialized', status: 'True' }], initContainerStatuses: [init({ running: { startedAt: '2026-01-01T11:58:00Z' } }, { started: true, ready: true })], containerStatuses: [running] }, { Ready: '2/2', Status: 'Running' }],
    ['readiness gates', { readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] }, { phase: 'Running', conditions: [{ type: 'a', status: 'True' }] }, { 'Readiness Gates': '1/2' }],
  ])('shows %s', (_, spec, podStatus, cells) => {
    expect(show(spec, podStatus)).toMatchObject(cells)
  })

  it('shows a pod on its way out', () => {
    expect(show({}, { phase: 'Running', containerStatuses: [running] }, { deletionTimestamp: '2026-01-01T11:59:00Z' })).toMatchObject({ Status: 'Terminating' })
  })
})
