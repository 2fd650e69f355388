/** Defaults of pod specs: those every spec gets, and those only a pod itself gets (a template keeps what was written). */
import type { core } from '../../../../api/index.ts'
import { deepFreeze } from '../../../../machinery/meta.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { changed, each, mapped, orDefault, within } from '../../defaulting.ts'
import { containerDefaults, hostPorts, requestsFromLimits } from './containers.ts'
import { volumeDefaults } from './volumes.ts'

/** Defaults of the spec of a pod or of a pod template. */
function podSpecDefaults(spec: core.PodSpec): core.PodSpec {
  return changed(serviceAccountAlias(spec), {
    restartPolicy: spec.restartPolicy ?? 'Always',
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    schedulerName: spec.schedulerName ?? 'default-scheduler',
    securityContext: spec.securityContext ?? noContext,
    containers: mapped(spec.containers, containerDefaults),
    initContainers: mapped(spec.initContainers, containerDefaults),
    ephemeralContainers: mapped(spec.ephemeralContainers, containerDefaults),
    volumes: mapped(spec.volumes, volumeDefaults),
  })
}

const noContext: core.PodSecurityContext = deepFreeze({})

/** `serviceAccount` is the old name of `serviceAccountName`; the two always say the same, the new one wins. */
export function serviceAccountAlias(spec: core.PodSpec): core.PodSpec {
  const name = spec.serviceAccountName ?? spec.serviceAccount
  if (name === undefined || (spec.serviceAccountName === name && spec.serviceAccount === name)) return spec
  return { ...spec, serviceAccountName: name, serviceAccount: name }
}

/** Defaults of a pod. */
export function podDefaults(pod: core.Pod): core.Pod {
  return within(pod, 'spec', (spec) => {
    let next = orDefault(podSpecDefaults(spec), { enableServiceLinks: true })
    next = each(next, 'containers', withRequests)
    next = each(next, 'initContainers', withRequests)
    next = podRequests(next)
    if (!next.hostNetwork) return next
    return each(each(next, 'containers', hostPorts), 'initContainers', hostPorts)
  })
}

/** A pod that has amounts of its own requests what its containers request together, or else what it is limited to. */
function podRequests(spec: core.PodSpec): core.PodSpec {
  return within(spec, 'resources', (resources) => {
    if (!resources.limits && !resources.requests) return resources
    const names = new Set(spec.containers.flatMap((c) => Object.keys(c.resources.requests ?? {})))
    const sums = [...names].flatMap((name) => {
      const shared = name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')
      if (!shared || resources.requests?.[name] !== undefined) return []
      const asked = spec.containers.flatMap((c) => c.resources.requests?.[name] ?? []).filter(isQuantity).map(parseQuantity)
      return asked.length === 0 ? [] : [[name, asked.reduce((sum, q) => sum.add(q)).toString()] as const]
    })
    const summed = sums.length === 0 ? resources : { ...resources, requests: { ...resources.requests, ...Object.fromEntries(sums) } }
    return requestsFromLimits(summed)
  })
}

const withRequests = (container: core.Container): core.Container => within(container, 'resources', requestsFromLimits)

/** Defaults of the template of a workload. */
export const podTemplateDefaults = (template: core.PodTemplateSpec): core.PodTemplateSpec => within(template, 'spec', podSpecDefaults)
