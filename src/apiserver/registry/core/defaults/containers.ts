/** Defaults of containers, whichever list of the pod they stand in. */
import type { core } from '../../../../api/index.ts'
import { changed, each, mapped, orDefault, within } from '../../defaulting.ts'

/** What containers, init containers and ephemeral containers have in common. */
type AnyContainer = core.Container | core.EphemeralContainer

const nameWord = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const hostWord = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
/** `host:port/name/name:tag@algorithm:digest`, all but one name optional. */
const imageName = new RegExp(`^(?:(?:${hostWord}(?:\\.${hostWord})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?/)?${nameWord}(?:/${nameWord})*(?::[\\w][\\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`)

/** `latest`, named or meant, is pulled each time; an image with another tag or a digest, or with a name that is none, only when it is not there. */
export function pullPolicyFor(image: string): core.PullPolicy {
  if (!imageName.test(image)) return 'IfNotPresent'
  if (image.includes('@')) return /:latest@/.test(image) ? 'Always' : 'IfNotPresent'
  const tag = /:([^:/]+)$/.exec(image)?.[1]
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent'
}

/** Defaults of a reference to a field of the pod. */
export const fieldRefDefaults = (ref: core.ObjectFieldSelector): core.ObjectFieldSelector => orDefault(ref, { apiVersion: 'v1' })

/** Defaults of one container that do not depend on the pod around it. */
export function containerDefaults<C extends AnyContainer>(container: C): C {
  return bodyDefaults(container) as C
}

function bodyDefaults(container: AnyContainer): AnyContainer {
  const { env, livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  return changed<AnyContainer>(container, {
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy ?? 'File',
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyFor(container.image ?? ''),
    env: mapped(env, variableDefaults),
    livenessProbe: livenessProbe && probeDefaults(livenessProbe),
    readinessProbe: readinessProbe && probeDefaults(readinessProbe),
    startupProbe: startupProbe && probeDefaults(startupProbe),
    lifecycle: lifecycle && within(within(lifecycle, 'postStart', hookDefaults), 'preStop', hookDefaults),
  })
}

const variableDefaults = (variable: core.EnvVar): core.EnvVar => (variable.valueFrom ? within(variable, 'valueFrom', (from) => within(from, 'fieldRef', fieldRefDefaults)) : variable)

const httpGetDefaults = (action: core.HTTPGetAction): core.HTTPGetAction => changed(action, { path: action.path ?? '/', scheme: action.scheme ?? 'HTTP' })
const hookDefaults = (hook: core.LifecycleHandler): core.LifecycleHandler => within(hook, 'httpGet', httpGetDefaults)

function probeDefaults(probe: core.Probe): core.Probe {
  return changed(probe, {
    timeoutSeconds: probe.timeoutSeconds ?? 1,
    periodSeconds: probe.periodSeconds ?? 10,
    successThreshold: probe.successThreshold ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
    httpGet: probe.httpGet && httpGetDefaults(probe.httpGet),
  })
}

type Amounts = Readonly<Record<string, string>>

/** What is limited and not requested is requested as limited. */
export function requestsFromLimits<R extends { readonly limits?: Amounts | undefined; readonly requests?: Amounts | undefined }>(resources: R): R {
  const { limits, requests = {} } = resources
  if (!limits) return resources
  const complete = orDefault(requests, limits)
  return complete === requests ? resources : { ...resources, requests: complete }
}

/** On the host's network a container's port is the host's port. */
export const hostPorts = (container: core.Container): core.Container =>
  each(container, 'ports', (port) => orDefault(port, { hostPort: port.containerPort }))
