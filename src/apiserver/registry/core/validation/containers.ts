/** Containers of all three kinds, and what they have in common. */
import type { core } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { dns1123Label, portName } from '../../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, named, oneOfThese, port, type Check } from '../../checks.ts'
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
    for (const name of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resizePolicy', 'restartPolicyRules'] as const) {
      if (container[name] !== undefined) yield place.at(name).forbidden('cannot be set for an Ephemeral Container')
    }
    if (container.restartPolicy !== undefined) yield place.at('restartPolicy').forbidden('may not be set for ephemeral containers')
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
  yield* image(at.at('image'), container.image)
  yield* oneOfThese(at.at('terminationMessagePolicy'), container.terminationMessagePolicy, ['FallbackToLogsOnError', 'File'])
  yield* ports(at.at('ports'), container, around.spec.hostNetwork ?? false)
  yield* forEach(at.at('env'), container.env, envVar)
  yield* forEach(at.at('envFrom'), container.envFrom, envFrom)
  yield* volumeMounts(at.at('volumeMounts'), container, around.volumes)
  yield* volumeDevices(at.at('volumeDevices'), container, around.volumes)
  yield* oneOfThese(at.at('imagePullPolicy'), container.imagePullPolicy, pullPolicies)
  yield* containerResources(at.at('resources'), container.resources, around.claims)
  yield* resizePolicy(at.at('resizePolicy'), container)
  yield* securityContext(at.at('securityContext'), container.securityContext, around.spec.hostUsers)
}

export function* image(at: Path, value: string | undefined): Check {
  if (!value) yield at.required()
  else if (value !== value.trim()) yield at.invalid(value, 'must not have leading or trailing whitespace')
}

function* ports(at: Path, container: core.Container, hostNetwork: boolean): Check {
  yield* forEach(at, container.ports, function* (value, place) {
    if (value.name) yield* follows(place.at('name'), value.name, portName)
    if (!value.containerPort) yield place.at('containerPort').required()
    else yield* port(place.at('containerPort'), value.containerPort)
    yield* port(place.at('hostPort'), value.hostPort)
    yield* oneOfThese(place.at('protocol'), value.protocol, ['SCTP', 'TCP', 'UDP'])
    if (hostNetwork && value.hostPort !== undefined && value.hostPort !== value.containerPort) {
      yield place.at('containerPort').invalid(value.containerPort, 'must match `hostPort` when `hostNetwork` is true')
    }
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

function* resizePolicy(at: Path, container: core.Container): Check {
  const list = container.resizePolicy
  yield* forEach(at, list, function* (policy, place) {
    yield* oneOfThese(place.at('resourceName'), policy.resourceName, ['cpu', 'memory'])
    yield* oneOfThese(place.at('restartPolicy'), policy.restartPolicy, ['NotRequired', 'RestartContainer'])
  })
  yield* distinct(at, list, (policy) => policy.resourceName)
}
