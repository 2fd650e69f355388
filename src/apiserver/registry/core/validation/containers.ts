/** Containers of all three kinds, and what they have in common. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Label, portName } from '../../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, named, oneOfThese, port } from '../../checks.ts'
import { envFrom, envVar } from './env.ts'
import { volumeDevices, volumeMounts, type Volumes } from './mounts.ts'
import { hook, probe, type ProbeName } from './probes.ts'
import { containerResources } from './resources.ts'
import { securityContext } from './security.ts'

const probeNames: readonly ProbeName[] = ['livenessProbe', 'readinessProbe', 'startupProbe']
const pullPolicies = ['Always', 'IfNotPresent', 'Never']
const messagePolicies = ['File', 'FallbackToLogsOnError']
const protocols = ['SCTP', 'TCP', 'UDP']
const restartPolicies = ['Always', 'Never', 'OnFailure']
const mostRules = 20
const mostCodes = 255
const noClaims: ReadonlySet<string> = new Set()

/** What of the pod its containers are checked against. */
interface Surroundings {
  readonly spec: core.PodSpec
  readonly volumes: Volumes
  readonly claims: ReadonlySet<string>
  readonly gracePeriodSeconds: number
}

/** `volumes`: those that can be mounted; left out, all that the spec names. */
export function surroundingsOf(spec: core.PodSpec, volumes: Volumes = new Map((spec.volumes ?? []).map((volume) => [volume.name, volume]))): Surroundings {
  return {
    spec,
    volumes,
    claims: spec.resourceClaims ? new Set(spec.resourceClaims.map((claim) => claim.name)) : noClaims,
    gracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
  }
}

/** The main containers: at least one, names of their own, ports that do not clash on the host. */
export function containers(at: Place, list: readonly core.Container[], around: Surroundings): void {
  if (list.length === 0) return at.required()
  forEach(at, list, (container, place) => {
    container_(place, container, around)
    probesAndHooks(place, container, around)
    restartRules(place, container)
  })
  distinct(at, list, (container) => container.name, 'name')
  hostPortConflicts(at, list)
}

/** Init containers run to their end before the main ones start; those that restart always run beside them. */
export function initContainers(at: Place, list: readonly core.Container[] | undefined, around: Surroundings): void {
  if (!list) return
  const taken = new Set(around.spec.containers.map((c) => c.name))
  forEach(at, list, (container, place) => {
    container_(place, container, around)
    hostPortConflicts(at, [container])
    restartRules(place, container)
    if (container.restartPolicy === 'Always') probesAndHooks(place, container, around)
    else {
      for (const name of ['lifecycle', ...probeNames] as const) {
        if (container[name] !== undefined) place.at(name).forbidden('may not be set for init containers without restartPolicy=Always')
      }
    }
    if (taken.has(container.name)) place.at('name').duplicate(container.name)
    taken.add(container.name)
  })
}

/** Ephemeral containers are put into running pods to look around: nothing that the scheduler would have to know of. */
export function ephemeralContainers(at: Place, list: readonly core.EphemeralContainer[] | undefined, around: Surroundings): void {
  if (!list) return
  const others = [...around.spec.containers, ...(around.spec.initContainers ?? [])].map((c) => c.name)
  const taken = new Set(others)
  forEach(at, list, (container, place) => {
    container_(place, container as core.Container, around)
    spaces(place.at('image'), container.image)
    for (const name of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle', 'resizePolicy', 'restartPolicy', 'restartPolicyRules'] as const) {
      if (container[name] !== undefined) place.at(name).forbidden('cannot be set for an Ephemeral Container')
    }
    const { limits, requests, claims } = container.resources
    if (limits || requests || claims) place.at('resources').forbidden('cannot be set for an Ephemeral Container')
    forEach(place.at('volumeMounts'), container.volumeMounts, (mount, here) => {
      if (mount.subPath) here.at('subPath').forbidden('cannot be set for an Ephemeral Container')
      if (mount.subPathExpr) here.at('subPathExpr').forbidden('cannot be set for an Ephemeral Container')
    })
    if (container.targetContainerName && !others.includes(container.targetContainerName)) {
      place.at('targetContainerName').notFound(container.targetContainerName)
    }
    if (taken.has(container.name)) place.at('name').duplicate(container.name)
    taken.add(container.name)
  })
}

/** What holds for every container. */
function container_(at: Place, container: core.Container, around: Surroundings): void {
  named(at.at('name'), container.name, dns1123Label)
  if (!container.image) at.at('image').required()
  oneOfThese(at.at('terminationMessagePolicy'), container.terminationMessagePolicy, messagePolicies)
  if (container.ports) ports(at.at('ports'), container.ports)
  if (container.env) forEach(at.at('env'), container.env, envVar)
  if (container.envFrom) {
    const list = at.at('envFrom')
    forEach(list, container.envFrom, (source, place) => envFrom(source, place, list))
  }
  if (container.volumeMounts) volumeMounts(at.at('volumeMounts'), container, container.volumeMounts, around.volumes)
  if (container.volumeDevices) volumeDevices(at.at('volumeDevices'), container, around.volumes)
  oneOfThese(at.at('imagePullPolicy'), container.imagePullPolicy, pullPolicies)
  containerResources(at.at('resources'), container.resources, around.claims)
  if (container.resizePolicy) resizePolicy(at.at('resizePolicy'), container, around.spec.restartPolicy)
  if (container.securityContext) securityContext(at.at('securityContext'), container.securityContext, around.spec.hostUsers)
}

/** The image of a container of a pod. In a template whatever is there passes: somebody may fill it in. */
export function image(at: Place, value: string | undefined): void {
  if (!value) at.required()
  else spaces(at, value)
}

/** What holds for the image of a pod, as opposed to that of a template. */
export function spaces(at: Place, value: string | undefined): void {
  if (value !== undefined && value !== value.trim()) at.invalid(value, 'must not have leading or trailing whitespace')
}

/** On the host's network a container's port is the host's; in a template the host's can be left out. */
export function hostNetworkPorts(at: Place, spec: core.PodSpec, ofPod: boolean): void {
  for (const [i, container] of spec.containers.entries()) {
    for (const [k, { hostPort = 0, containerPort }] of (container.ports ?? []).entries()) {
      if ((ofPod || hostPort !== 0) && hostPort !== containerPort) {
        at.at('containers').index(i).at('ports').index(k).at('hostPort').invalid(hostPort, 'must match `containerPort` when `hostNetwork` is true')
      }
    }
  }
}

function ports(at: Place, list: readonly core.ContainerPort[]): void {
  forEach(at, list, (value, place) => {
    if (value.name) follows(place.at('name'), value.name, portName)
    if (!value.containerPort) place.at('containerPort').required()
    else port(place.at('containerPort'), value.containerPort)
    if (value.hostPort) port(place.at('hostPort'), value.hostPort)
    oneOfThese(place.at('protocol'), value.protocol, protocols)
  })
  distinct(at, list, (value) => value.name, 'name')
}

function hostPortConflicts(at: Place, list: readonly core.Container[]): void {
  let taken: Set<string> | undefined
  for (let i = 0; i < list.length; i++) {
    const ports = list[i]?.ports ?? []
    for (let k = 0; k < ports.length; k++) {
      const value = ports[k]!
      if (!value.hostPort) continue
      taken ??= new Set()
      const key = `${value.protocol}/${value.hostIP ?? ''}/${value.hostPort}`
      if (taken.has(key)) at.index(i).at('ports').index(k).at('hostPort').duplicate(key)
      taken.add(key)
    }
  }
}

function probesAndHooks(at: Place, container: core.Container, around: Surroundings): void {
  if (container.lifecycle) {
    const { postStart, preStop } = container.lifecycle
    if (postStart) hook(at.at('lifecycle').at('postStart'), postStart, around.gracePeriodSeconds)
    if (preStop) hook(at.at('lifecycle').at('preStop'), preStop, around.gracePeriodSeconds)
  }
  for (const name of probeNames) {
    const value = container[name]
    if (value) probe(at.at(name), value, name)
  }
}

function restartRules(at: Place, container: core.Container): void {
  if (container.restartPolicy !== undefined) ifThere(at.at('restartPolicy'), container.restartPolicy, restartPolicies)
  if (!container.restartPolicyRules) return
  if (container.restartPolicy === undefined) at.at('restartPolicy').required('must specify restartPolicy when restartPolicyRules are used')
  if (container.restartPolicyRules.length > mostRules) at.at('restartPolicyRules').tooMany(container.restartPolicyRules.length, mostRules)
  forEach(at.at('restartPolicyRules'), container.restartPolicyRules, (rule, place) => {
    oneOfThese(place.at('action'), rule.action, ['Restart', 'RestartAllContainers'])
    if (!rule.exitCodes) return place.at('exitCodes').required('must be specified')
    oneOfThese(place.at('exitCodes').at('operator'), rule.exitCodes.operator, ['In', 'NotIn'])
    if (!rule.exitCodes.values?.length) place.at('exitCodes').at('values').invalid(rule.exitCodes.values ?? [], 'at least one value must be specified')
    else if (rule.exitCodes.values.length > mostCodes) place.at('exitCodes').at('values').tooMany(rule.exitCodes.values.length, mostCodes)
  })
}

/** What is wrong with one of the policies is said of the list. */
function resizePolicy(at: Place, container: core.Container, podRestarts: string | undefined): void {
  const list = container.resizePolicy
  for (const policy of list ?? []) {
    oneOfThese(at, policy.resourceName, ['cpu', 'memory'])
    oneOfThese(at, policy.restartPolicy, ['NotRequired', 'RestartContainer'])
    if ((container.restartPolicy ?? podRestarts) === 'Never' && policy.restartPolicy !== 'NotRequired') {
      at.invalid(policy.restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'")
    }
  }
  distinct(at, list, (policy) => policy.resourceName)
}
