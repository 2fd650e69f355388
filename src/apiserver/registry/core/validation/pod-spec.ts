/** The spec of a pod, alone or in a template. */
import type { core } from '../../../../api/index.ts'
import { path, type Path } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, ipAddress, qualifiedName, validateAnnotations, validateLabels } from '../../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, named, none, oneOfThese, within, type Check, type Errors } from '../../checks.ts'
import { containers, ephemeralContainers, hostNetworkPorts, initContainers, spaces, surroundingsOf } from './containers.ts'
import { anyAnnotation, podAnnotations } from './annotations.ts'
import { nodeSelectorLabels } from './env.ts'
import { knowsWindows, operatingSystem } from './os.ts'
import { containerResources, podResources } from './resources.ts'
import { affinity, schedulingGates, spreadConstraints, toleration } from './scheduling.ts'
import { hostNamespaces, podSecurityContext } from './security.ts'
import { volumes } from './volumes.ts'

const maxInt32 = 2147483647
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const restartPolicies = ['Always', 'OnFailure', 'Never']

/**
 * Everything about a pod's spec that can be said without looking at other objects. `pod`: the spec is of a pod of this name, and not of
 * a template, where more is left to be filled in.
 */
export function* podSpec(at: Path, spec: core.PodSpec, pod?: { readonly name: string }): Check {
  const around = surroundingsOf(spec)
  yield* volumes(at.at('volumes'), spec.volumes, pod)
  yield* containers(at.at('containers'), spec.containers, around)
  yield* initContainers(at.at('initContainers'), spec.initContainers, around)
  yield* ephemeralContainers(at.at('ephemeralContainers'), spec.ephemeralContainers, around)
  if (spec.resources) yield* podResources(at.at('resources'), spec)
  yield* oneOfThese(at.at('restartPolicy'), spec.restartPolicy, restartPolicies)
  yield* within(at.at('activeDeadlineSeconds'), spec.activeDeadlineSeconds, 1, maxInt32)
  yield* podSecurityContext(at.at('securityContext'), spec)
  yield* hostNamespaces(at, spec)
  if (spec.hostNetwork) yield* hostNetworkPorts(at, spec, pod !== undefined)
  if (knowsWindows(spec)) yield* operatingSystem(at, spec)
  yield* names(at, spec)
  yield* dns(at, spec)
  yield* scheduling(at, spec)
  yield* claims(at.at('resourceClaims'), spec.resourceClaims)
}

/** Names of other objects, and of the pod on the network. */
function* names(at: Path, spec: core.PodSpec): Check {
  for (const name of ['serviceAccountName', 'nodeName', 'priorityClassName'] as const) {
    const value = spec[name]
    if (value) yield* follows(at.at(name), value, dns1123Subdomain)
  }
  if (spec.runtimeClassName !== undefined) yield* follows(at.at('runtimeClassName'), spec.runtimeClassName, dns1123Subdomain)
  for (const name of ['hostname', 'subdomain'] as const) {
    const value = spec[name]
    if (value) yield* follows(at.at(name), value, dns1123Label)
  }
  if (spec.hostnameOverride !== undefined) {
    yield* follows(at.at('hostnameOverride'), spec.hostnameOverride, dns1123Subdomain)
    if (spec.hostnameOverride.length > 64) yield at.at('hostnameOverride').tooLong(64)
    if (spec.setHostnameAsFQDN) yield at.at('setHostnameAsFQDN').forbidden('may not be set when hostnameOverride is specified')
    if (spec.hostNetwork) yield at.at('hostNetwork').forbidden('may not be set when hostnameOverride is specified')
  }
  yield* forEach(at.at('hostAliases'), spec.hostAliases, function* (alias, place) {
    yield* follows(place.at('ip'), alias.ip, ipAddress)
    yield* forEach(place.at('hostnames'), alias.hostnames, (host, here) => follows(here, host, dns1123Subdomain))
  })
}

/** Resolvers: how many servers and search paths a pod may have. */
function* dns(at: Path, spec: core.PodSpec): Check {
  yield* oneOfThese(at.at('dnsPolicy'), spec.dnsPolicy, dnsPolicies)
  const place = at.at('dnsConfig')
  const config = spec.dnsConfig
  if (spec.dnsPolicy === 'None') {
    if (!config) return yield place.required("must provide `dnsConfig` when `dnsPolicy` is None")
    if (!config.nameservers?.length) return yield place.at('nameservers').required("must provide at least one DNS nameserver when `dnsPolicy` is None")
  }
  if (!config) return
  const { nameservers = [], searches = [], options } = config
  if (nameservers.length > 3) yield place.at('nameservers').invalid(nameservers, 'must not have more than 3 nameservers')
  yield* forEach(place.at('nameservers'), nameservers, (server, here) => follows(here, server, ipAddress))
  if (searches.length > 32) yield place.at('searches').invalid(searches, 'must not have more than 32 search paths')
  if (searches.join(' ').length > 2048) yield place.at('searches').invalid(searches, 'must not have more than 2048 characters (including spaces) in the search list')
  yield* forEach(place.at('searches'), searches, searchPath)
  yield* forEach(place.at('options'), options, function* (option, here) {
    if (!option.name) yield here.required('must not be empty')
  })
}

/** A domain, in which underscores may stand and which may end in a dot; or the root alone. */
function searchPath(search: string, at: Path): Errors {
  if (search === '.') return none
  const domain = search.replace(/\.$/, '')
  return dns1123Subdomain(domain.replaceAll('_', '-')).map((why) => at.invalid(domain, why.replace("'-' or '.'", "'-', '_' or '.'")))
}

function* scheduling(at: Path, spec: core.PodSpec): Check {
  yield* nodeSelectorLabels(at.at('nodeSelector'), spec.nodeSelector)
  yield* affinity(at.at('affinity'), spec.affinity as core.Affinity | undefined)
  yield* forEach(at.at('tolerations'), spec.tolerations, toleration)
  yield* spreadConstraints(at.at('topologySpreadConstraints'), spec.topologySpreadConstraints)
  yield* schedulingGates(at.at('schedulingGates'), spec.schedulingGates)
  yield* forEach(at.at('readinessGates'), spec.readinessGates, (gate, place) => follows(place.at('conditionType'), gate.conditionType, qualifiedName))
  yield* ifThere(at.at('preemptionPolicy'), spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'])
  if (spec.overhead) yield* containerResources(at.at('overhead'), { limits: spec.overhead })
}

function* claims(at: Path, list: readonly core.PodResourceClaim[] | undefined): Check {
  yield* forEach(at, list, function* (claim, place) {
    yield* named(place.at('name'), claim.name, dns1123Label)
    const { resourceClaimName, resourceClaimTemplateName } = claim
    const both = resourceClaimName !== undefined && resourceClaimTemplateName !== undefined
    const neither = resourceClaimName === undefined && resourceClaimTemplateName === undefined
    if (both) yield place.invalid(claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified')
    if (neither) yield place.invalid(claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`')
    if (resourceClaimName !== undefined) yield* follows(place.at('resourceClaimName'), resourceClaimName, dns1123Subdomain)
    if (resourceClaimTemplateName !== undefined) yield* follows(place.at('resourceClaimTemplateName'), resourceClaimTemplateName, dns1123Subdomain)
  })
  yield* distinct(at, list, (claim) => claim.name, 'name')
}

/** A pod template, as all workloads carry one: labels and annotations beside the spec; ephemeral containers have no place in it. */
export function* podTemplate(at: Path, template: core.PodTemplateSpec): Check {
  const { labels, annotations } = template.metadata
  yield* validateLabels(labels, at.at('labels'))
  yield* validateAnnotations(annotations, at.at('annotations'))
  if (annotations) yield* podAnnotations(at.at('annotations'), annotations, template.spec)
  yield* podSpec(at.at('spec'), template.spec)
  if (template.spec.ephemeralContainers?.length) yield at.at('spec').at('ephemeralContainers').forbidden('ephemeral containers not allowed in pod template')
}

/** What holds for a pod beyond its spec: what was let pass in templates, and what its annotations say. */
export function* podItself(at: Path, { metadata, spec }: core.Pod): Check {
  if (metadata.annotations && anyAnnotation(metadata.annotations)) yield* podAnnotations(path('metadata').at('annotations'), metadata.annotations, spec)
  yield* podSpec(at, spec, { name: metadata.name ?? '' })
  for (const name of ['containers', 'initContainers'] as const) {
    const list = spec[name] ?? []
    for (let i = 0; i < list.length; i++) {
      const image = list[i]?.image
      if (image && image !== image.trim()) yield* spaces(at.at(name).index(i).at('image'), image)
    }
  }
  if (spec.serviceAccountName || !spec.volumes) return
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [k, source] of ((volume.projected?.sources ?? []) as readonly core.VolumeProjection[]).entries()) {
      if (source.serviceAccountToken) {
        yield at.at('volumes').index(i).at('projected').at('sources').index(k).at('serviceAccountToken').forbidden('must not be specified when serviceAccountName is not set')
      }
    }
  }
}
