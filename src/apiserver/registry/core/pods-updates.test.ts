import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { context, created, environment, statusErrors, updateErrors, updated } from '../testing.ts'
import { strategyFor } from '../strategies.ts'

const web = { name: 'web', image: 'nginx:1.27' }
const pod = (spec: object, metadata: object = {}) => ({ metadata: { name: 'web', namespace: 'default', ...metadata }, spec: { containers: [web], ...spec } })
const strategy = strategyFor(core.pods as never, environment) as import('../../strategy.ts').Strategy<core.Pod>

describe('a resize', () => {
  const ctx = context({ subresource: 'resize' })
  const claims = { resourceClaims: [{ name: 'a', resourceClaimName: 'a' }, { name: 'b', resourceClaimName: 'b' }] }
  const current = created(core.pods, pod({
    ...claims,
    initContainers: [{ name: 'side', image: 'i', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } }, { name: 'init', image: 'i', resources: { requests: { cpu: '1' } } }],
    containers: [{ ...web, resources: { requests: { cpu: '1' }, claims: [{ name: 'a' }] }, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] }],
  }))
  const [container] = current.spec.containers
  const [side, init] = current.spec.initContainers ?? []
  const change = (spec: object, from = current) => updateErrors(core.pods, pod({ ...from.spec, ...spec }), from, ctx)
  const computeOnly = 'spec: Forbidden: only cpu and memory resources are mutable'
  it.each<[string, object, string[]]>([
    ['more', { containers: [{ ...container, resources: { ...container?.resources, requests: { cpu: '2' } } }] }, []],
    ['another claim', { containers: [{ ...container, resources: { requests: { cpu: '1' }, claims: [{ name: 'a' }, { name: 'b' }] } }] }, [computeOnly]],
    ['no claim', { containers: [{ ...container, resources: { requests: { cpu: '1' } } }] }, [computeOnly]],
    ['another policy', { containers: [{ ...container, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }] }, [computeOnly]],
    ['more for a sidecar', { initContainers: [{ ...side, resources: { requests: { cpu: '2' } } }, init] }, []],
    ['storage for a sidecar', { initContainers: [{ ...side, resources: { requests: { cpu: '1', 'ephemeral-storage': '1Gi' } } }, init] }, ['spec: Forbidden: only cpu and memory resources for sidecar containers are mutable']],
    ['more for an init container', { initContainers: [side, { ...init, resources: { requests: { cpu: '2' } } }] }, ['spec: Forbidden: resources for non-sidecar init containers are immutable']],
    ['one container more', { containers: [container, { ...web, name: 'b' }] }, ['spec.containers: Forbidden: containers may not be added or removed on resize']],
    ['other names', { containers: [{ ...container, name: 'b' }] }, ['spec.containers: Forbidden: containers may not be renamed or reordered on resize']],
    ['fewer init containers', { initContainers: [side] }, ['spec.initContainers: Forbidden: initContainers may not be added or removed on resize']],
  ])('with %s', (_, spec, wrong) => {
    expect(change(spec)).toEqual(wrong)
  })
  it('changes cpu and memory of the pod as a whole, and nothing else of it', () => {
    const whole = created(core.pods, pod({ resources: { requests: { cpu: '1', 'hugepages-2Mi': '2Mi' }, limits: { 'hugepages-2Mi': '2Mi' } } }))
    const to = (resources: object) => change({ resources }, whole)
    expect(to({ requests: { cpu: '2', 'hugepages-2Mi': '2Mi' }, limits: { 'hugepages-2Mi': '2Mi' } })).toEqual([])
    expect(to({ requests: { cpu: '1', 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } })).toEqual([computeOnly])
    expect(updateErrors(core.pods, pod({ containers: whole.spec.containers }), whole, ctx)).toContain('spec.resources.requests: Forbidden: resource requests cannot be removed')
  })
})

describe('ephemeral containers', () => {
  const ctx = context({ subresource: 'ephemeralcontainers' })
  it('are held to what holds for the whole pod', () => {
    const linux = created(core.pods, pod({ os: { name: 'linux' } }))
    const debug = { name: 'debug', image: 'i', securityContext: { windowsOptions: { hostProcess: true } } }
    expect(updateErrors(core.pods, pod({ ...linux.spec, ephemeralContainers: [debug] }), linux, ctx)).toEqual([
      'spec: Invalid value: "": If pod contains any hostProcess containers then all containers must be HostProcess containers',
      'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
      'spec.ephemeralContainers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod',
    ])
  })
  it('do not get into static pods, whatever else is wrong', () => {
    const mirror = created(core.pods, pod({ nodeName: 'n' }, { annotations: { 'kubernetes.io/config.mirror': 'x' } }))
    expect(updateErrors(core.pods, pod({ ...mirror.spec, ephemeralContainers: [{ name: 'B', image: '' }] }), mirror, ctx)).toEqual(['[]: Forbidden: static pods do not support ephemeral containers'])
  })
})

describe('an update of the status', () => {
  const state = (name: string, is: object) => ({ name, image: 'i', imageID: '', ready: false, restartCount: 0, lastState: {}, state: is }) as unknown as core.ContainerStatus
  const ended = (name: string, exitCode = 1) => state(name, { terminated: { exitCode } })
  const running = (name: string) => state(name, { running: {} })
  const errors = (spec: object, before: object, after: object, metadata: object = {}) => {
    const current = created(core.pods, pod(spec))
    const from = { ...current, status: { ...current.status, ...before } } as core.Pod
    return statusErrors(strategy, { ...from, metadata: { ...from.metadata, ...metadata }, status: { ...from.status, ...after } } as core.Pod, from)
  }
  const back = (spec: object, exitCode = 1) => errors(spec, { containerStatuses: [ended('web', exitCode)] }, { containerStatuses: [running('web')] })
  const refused = ['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state']
  const rules = (action: string) => ({ restartPolicy: 'Never', restartPolicyRules: [{ action, exitCodes: { operator: 'In', values: [1] } }] })
  it.each<[string, object, number, string[]]>([
    ['Never', { restartPolicy: 'Never' }, 1, refused],
    ['OnFailure', { restartPolicy: 'OnFailure' }, 1, []],
    ['OnFailure after success', { restartPolicy: 'OnFailure' }, 0, refused],
    ['Never of its own', { restartPolicy: 'OnFailure', containers: [{ ...web, restartPolicy: 'Never' }] }, 1, refused],
    ['Always of its own', { restartPolicy: 'Never', containers: [{ ...web, restartPolicy: 'Always' }] }, 1, []],
    ['rules of its own', { restartPolicy: 'Never', containers: [{ ...web, ...rules('Restart') }] }, 1, []],
    ['rules of another', { restartPolicy: 'Never', containers: [web, { ...web, name: 'b', ...rules('RestartAllContainers') }] }, 1, []],
  ])('brings containers back with %s or does not', (_, spec, exitCode, wrong) => {
    expect(back(spec, exitCode)).toEqual(wrong)
  })
  it('never brings ephemeral containers back', () => {
    expect(errors({}, { ephemeralContainerStatuses: [ended('e')] }, { ephemeralContainerStatuses: [running('e')] })).toEqual(['status.ephemeralContainerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state'])
  })
  it.each<[string, object, object, string[]]>([
    ['annotations that say what the pod is', {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }, [
      'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation',
      'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
    ]],
    ['claims that the pod does not have', { resourceClaimStatuses: [{ name: 'a' }, { name: 'a', resourceClaimName: 'A b' }] }, {}, [
      'status.resourceClaimStatuses[0].name: Invalid value: "a": must match the name of an entry in `spec.resourceClaims`',
      'status.resourceClaimStatuses[1].name: Invalid value: "a": must match the name of an entry in `spec.resourceClaims`',
      'status.resourceClaimStatuses[1].name: Duplicate value: "a"',
      expect.stringMatching(/^status\.resourceClaimStatuses\[1\]\.name: Invalid value: "A b": a lowercase RFC 1123 subdomain/) as unknown as string,
    ]],
    ['users that cannot be', { containerStatuses: [{ ...running('web'), user: { linux: { uid: -1, gid: 0 } } }] }, {}, ['status.containerStatuses[0].linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive']],
    ['devices that were not asked for', { containerStatuses: [{ ...running('web'), allocatedResourcesStatus: [{ name: 'a/gpu', resources: [{ resourceID: '1', health: 'Ill' }, { resourceID: '1', health: 'Healthy' }] }] }] }, {}, [
      "status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: \"a/gpu\": must match one of the container's resource requests",
      'status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: "Ill": supported values: "Healthy", "Unhealthy", "Unknown"',
      'status.containerStatuses[0].allocatedResourcesStatus[0].resources[1].resourceID: Duplicate value: "1"',
    ]],
  ])('takes no %s', (_, status, metadata, wrong) => {
    expect(errors({}, {}, status, metadata)).toEqual(wrong)
  })
  it('keeps the generations that a client leaves out', () => {
    const current = created(core.pods, pod({}))
    const condition = (type: string, more: object = {}) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: null, ...more }) as core.PodCondition
    const from: core.Pod = { ...current, status: { ...current.status, observedGeneration: 3, conditions: [condition('Ready', { observedGeneration: 2 }), condition('a')] } }
    const written: core.Pod = { ...from, status: { phase: 'Running', conditions: [condition('a'), condition('Ready'), condition('Initialized', { observedGeneration: 4 })] } }
    expect(strategy.prepareForStatusUpdate?.(written, from, context()).status).toEqual({
      phase: 'Running', qosClass: 'BestEffort', observedGeneration: 3,
      conditions: [condition('a'), condition('Ready', { observedGeneration: 2 }), condition('Initialized', { observedGeneration: 4 })],
    })
  })
})

describe('what an update takes along', () => {
  it('is nothing but resources in a resize', () => {
    const current = created(core.pods, pod({ containers: [{ ...web, resources: { requests: { cpu: '1' } } }] }))
    const next = pod({ ...current.spec, nodeSelector: { a: 'b' }, containers: [{ ...current.spec.containers[0], image: 'other', resources: { requests: { cpu: '2' } } }] })
    expect(updated(core.pods, next, current, context({ subresource: 'resize' })).spec).toEqual({ ...current.spec, containers: [{ ...current.spec.containers[0], resources: { requests: { cpu: '2' } } }] })
  })
})
