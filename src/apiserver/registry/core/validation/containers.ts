/** Containers of all three kinds, and what they have in common. */
import type { core } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { dns1123Label, portName } from '../../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, named, none, oneOfThese, port, type Check, type Errors } from '../../checks.ts'
import { envFrom, envVar } from './env.ts'
import { volumeDevices, volumeMounts, type Volumes } from './mounts.ts'
import { hook, probe, type ProbeName } from './probes.ts'
import { containerResources } from './resources.ts'
import { securityContext } from './security.ts'

const probeNames: readonly ProbeName[] = ['livenessProbe', 'readinessProbe', 'startupProbe']
const pullPolicies = ['Always', 'IfNotPresent', 'Never']

/** What of the pod its containers are checked against. */
interface Surroundings {
  readonly spec: core.PodSpec
  readonly volumes: Volumes
  readonly claims: ReadonlySet<string>
  readonly gracePeriodSeconds: number
}

export function surroundingsOf(spec: core.PodSpec): Surroundings {
  return {
    spec,
    volumes: new Map((spec.volumes ?? []).map((volume) => [volume.name, volume])),
    claims: new Set((spec.resourceClaims ?? []).map((claim) => claim.name)),
    gracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
  }
}

/** The main containers: at least one, names of their own, ports that do not clash on the host. */
export function* containers(at: Path, list: readonly core.Container[], around: Surroundings): Check {
  if (list.length === 0) return yield at.required()
  yield* forEach(at, list, function* (container, place) {
    yield* container_(place, container, around)
    yield* probesAndHooks(place, container, around)
    yield* restartRules(place, container)
  })
  yield* distinct(at, list, (container) => container.name, 'name')
  yield* hostPortConflicts(at, list)
}

/** Init containers run to their end before the main ones start; those that restart always run beside them. */
export function* initContainers(at: Path, list: readonly core.Container[] | undefined, around: Surroundings): Check {
  const taken = new Set(around.spec.containers.map((c) => c.name))
  yield* forEach(at, list, function* (container, place) {
    yield* container_(place, container, around)
    yield* hostPortConflicts(at, [container])
    yield* restartRules(place, container)
    if (container.restartPolicy === 'Always') yield* probesAndHooks(place, container, around)
    else {
      for (const name of ['lifecycle', ...probeNames] as const) {
        if (container[name] !== undefined) yield place.at(name).forbidden('may not be set for init containers without restartPolicy=Always')
      }
    }
    if (taken.has(container.name)) yield place.at('name').duplicate(container.name)
    taken.add(container.name)
  })
}

/** Ephemeral containers are put into running pods to look around: nothing that the scheduler would have to know of. */
export function* ephemeralContainers(at: Path, list: readonly core.EphemeralContainer[] | undefined, around: Surroundings): Check {
  const others = [...around.spec.containers, ...(around.spec.initContainers ?? [])].map((c) => c.name)
  const taken = new Set(others)
  yield* forEach(at, list, function* (container, place) {
    yield* container_(place, container as core.Container, around)
    yield* spaces(place.at('image'), container.image)
    for (const name of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'] as const) {
      if (container[name] !== undefined) yield place.at(name).forbidden('cannot be set for an Ephemeral Container')
    }
    const { limits, requests, claims } = container.resources
    if (limits || requests || claims) yield place.at('resources').forbidden('cannot be set for an Ephemeral Container')
    yield* forEach(place.at('volumeMounts'), container.volumeMounts, function* (mount, here) {
      if (mount.subPath) yield here.at('subPath').forbidden('cannot be set for an Ephemeral Container')
      if (mount.subPathExpr) yield here.at('subPathExpr').forbidden('cannot be set for an Ephemeral Container')
    })
    if (container.targetContainerName && !others.includes(container.targetContainerName)) {
      yield place.at('targetContainerName').notFound(container.targetContainerName)
    }
    if (taken.has(container.name)) yield place.at('name').duplicate(container.name)
    taken.add(container.name)
  })
}

/** What holds for every container. */
function* container_(at: Path, container: core.Container, around: Surroundings): Check {
  yield* named(at.at('name'), container.name, dns1123Label)
  if (!container.image) yield at.at('image').required()
  yield* oneOfThese(at.at('terminationMessagePolicy'), container.terminationMessagePolicy, ['File', 'FallbackToLogsOnError'])
  yield* ports(at.at('ports'), container)
  yield* forEach(at.at('env'), container.env, envVar)
  if (container.envFrom) {
    const list = at.at('envFrom')
    yield* forEach(list, container.envFrom, (source, place) => envFrom(source, place, list))
  }
  yield* volumeMounts(at.at('volumeMounts'), container, around.volumes)
  yield* volumeDevices(at.at('volumeDevices'), container, around.volumes)
  yield* oneOfThese(at.at('imagePullPolicy'), container.imagePullPolicy, pullPolicies)
  yield* containerResources(at.at('resources'), container.resources, around.claims)
  if (container.resizePolicy) yield* resizePolicy(at.at('resizePolicy'), container, around.spec.restartPolicy)
  yield* securityContext(at.at('securityContext'), container.securityContext, around.spec.hostUsers)
}

/** The image of a container of a pod. In a template whatever is there passes: somebody may fill it in. */
export function* image(at: Path, value: string | undefined): Check {
  if (!value) yield at.required()
  else yield* spaces(at, value)
}

/** What holds for the image of a pod, as opposed to that of a template. */
export const spaces = (at: Path, value: string | undefined): Errors =>
  (value !== undefined && value !== value.trim() ? [at.invalid(value, 'must not have leading or trailing whitespace')] : none)

/** On the host's network a container's port is the host's; in a template the host's can be left out. */
export function* hostNetworkPorts(at: Path, spec: core.PodSpec, ofPod: boolean): Check {
  for (const [i, container] of spec.containers.entries()) {
    for (const [k, { hostPort = 0, containerPort }] of (container.ports ?? []).entries()) {
      if ((ofPod || hostPort !== 0) && hostPort !== containerPort) {
        yield at.at('containers').index(i).at('ports').index(k).at('hostPort').invalid(hostPort, 'must match `containerPort` when `hostNetwork` is true')
      }
    }
  }
}

function* ports(at: Path, container: core.Container): Check {
  yield* forEach(at, container.ports, function* (value, place) {
    if (value.name) yield* follows(place.at('name'), value.name, portName)
    if (!value.containerPort) yield place.at('containerPort').required()
    else yield* port(place.at('containerPort'), value.containerPort)
    if (value.hostPort) yield* port(place.at('hostPort'), value.hostPort)
    yield* oneOfThese(place.at('protocol'), value.protocol, ['SCTP', 'TCP', 'UDP'])
  })
  yield* distinct(at, container.ports, (value) => value.name, 'name')
}

function* hostPortConflicts(at: Path, list: readonly core.Container[]): Check {
  const taken = new Set<string>()
  for (const [i, container] of list.entries()) {
    for (const [k, value] of (container.ports ?? []).entries()) {
      if (!value.hostPort) continue
      const key = `${value.protocol}/${value.hostIP ?? ''}/${value.hostPort}`
      if (taken.has(key)) yield at.index(i).at('ports').index(k).at('hostPort').duplicate(key)
      taken.add(key)
    }
  }
}

function* probesAndHooks(at: Path, container: core.Container, around: Surroundings): Check {
  const { postStart, preStop } = container.lifecycle ?? {}
  if (postStart) yield* hook(at.at('lifecycle').at('postStart'), postStart, around.gracePeriodSeconds)
  if (preStop) yield* hook(at.at('lifecycle').at('preStop'), preStop, around.gracePeriodSeconds)
  for (const name of probeNames) {
    const value = container[name]
    if (value) yield* probe(at.at(name), value, name)
  }
}

function* restartRules(at: Path, container: core.Container): Check {
  yield* ifThere(at.at('restartPolicy'), container.restartPolicy, ['Always', 'Never', 'OnFailure'])
  if (!container.restartPolicyRules) return
  if (container.restartPolicy === undefined) yield at.at('restartPolicy').required('must specify restartPolicy when restartPolicyRules are used')
  yield* forEach(at.at('restartPolicyRules'), container.restartPolicyRules, function* (rule, place) {
    yield* oneOfThese(place.at('action'), rule.action, ['Restart', 'RestartAllContainers'])
    if (!rule.exitCodes) return yield place.at('exitCodes').required('must be specified')
    yield* oneOfThese(place.at('exitCodes').at('operator'), rule.exitCodes.operator, ['In', 'NotIn'])
    if (!rule.exitCodes.values?.length) yield place.at('exitCodes').at('values').invalid(rule.exitCodes.values ?? [], 'at least one value must be specified')
  })
}

/** What is wrong with one of the policies is said of the list. */
function* resizePolicy(at: Path, container: core.Container, podRestarts: string | undefined): Check {
  const list = container.resizePolicy
  for (const policy of list ?? []) {
    yield* oneOfThese(at, policy.resourceName, ['cpu', 'memory'])
    yield* oneOfThese(at, policy.restartPolicy, ['NotRequired', 'RestartContainer'])
    if ((container.restartPolicy ?? podRestarts) === 'Never' && policy.restartPolicy !== 'NotRequired') {
      yield at.invalid(policy.restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'")
    }
  }
  yield* distinct(at, list, (policy) => policy.resourceName)
}
