/** The spec of a pod, alone or in a template. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, ipAddress, qualifiedName, validateAnnotations, validateLabels } from '../../../../machinery/names.ts'
import { distinct, follows, forEach, named, oneOfThese, within } from '../../checks.ts'
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
const objectNames = ['serviceAccountName', 'nodeName', 'priorityClassName'] as const
const hostNames = ['hostname', 'subdomain'] as const
const preemptionPolicies = ['PreemptLowerPriority', 'Never']
const containerLists = ['containers', 'initContainers'] as const

/**
 * Everything about a pod's spec that can be said without looking at other objects. `pod`: the spec is of a pod of this name, and not of
 * a template, where more is left to be filled in.
 */
export function podSpec(at: Place, spec: core.PodSpec, pod?: { readonly name: string }): void {
  const around = surroundingsOf(spec, volumes(at.at('volumes'), spec.volumes, pod))
  containers(at.at('containers'), spec.containers, around)
  initContainers(at.at('initContainers'), spec.initContainers, around)
  ephemeralContainers(at.at('ephemeralContainers'), spec.ephemeralContainers, around)
  if (spec.resources) podResources(at.at('resources'), spec)
  oneOfThese(at.at('restartPolicy'), spec.restartPolicy, restartPolicies)
  if (spec.activeDeadlineSeconds !== undefined) within(at.at('activeDeadlineSeconds'), spec.activeDeadlineSeconds, 1, maxInt32)
  podSecurityContext(at.at('securityContext'), spec)
  hostNamespaces(at, spec)
  if (spec.hostNetwork) hostNetworkPorts(at, spec, pod !== undefined)
  if (knowsWindows(spec)) operatingSystem(at, spec)
  names(at, spec)
  dns(at, spec)
  scheduling(at, spec)
  if (spec.resourceClaims) claims(at.at('resourceClaims'), spec.resourceClaims)
}

/** Names of other objects, and of the pod on the network. */
function names(at: Place, spec: core.PodSpec): void {
  for (const name of objectNames) {
    const value = spec[name]
    if (value) follows(at.at(name), value, dns1123Subdomain)
  }
  if (spec.runtimeClassName !== undefined) follows(at.at('runtimeClassName'), spec.runtimeClassName, dns1123Subdomain)
  for (const name of hostNames) {
    const value = spec[name]
    if (value) follows(at.at(name), value, dns1123Label)
  }
  if (spec.hostnameOverride !== undefined) {
    follows(at.at('hostnameOverride'), spec.hostnameOverride, dns1123Subdomain)
    if (spec.hostnameOverride.length > 64) at.at('hostnameOverride').tooLong(64)
    if (spec.setHostnameAsFQDN) at.at('setHostnameAsFQDN').forbidden('may not be set when hostnameOverride is specified')
    if (spec.hostNetwork) at.at('hostNetwork').forbidden('may not be set when hostnameOverride is specified')
  }
  if (spec.hostAliases) forEach(at.at('hostAliases'), spec.hostAliases, (alias, place) => {
    follows(place.at('ip'), alias.ip, ipAddress)
    forEach(place.at('hostnames'), alias.hostnames, (host, here) => follows(here, host, dns1123Subdomain))
  })
}

/** Resolvers: how many servers and search paths a pod may have. */
function dns(at: Place, spec: core.PodSpec): void {
  oneOfThese(at.at('dnsPolicy'), spec.dnsPolicy, dnsPolicies)
  const config = spec.dnsConfig
  if (!config && spec.dnsPolicy !== 'None') return
  const place = at.at('dnsConfig')
  if (spec.dnsPolicy === 'None') {
    if (!config) return place.required("must provide `dnsConfig` when `dnsPolicy` is None")
    if (!config.nameservers?.length) return place.at('nameservers').required("must provide at least one DNS nameserver when `dnsPolicy` is None")
  }
  if (!config) return
  const { nameservers = [], searches = [], options } = config
  if (nameservers.length > 3) place.at('nameservers').invalid(nameservers, 'must not have more than 3 nameservers')
  forEach(place.at('nameservers'), nameservers, (server, here) => follows(here, server, ipAddress))
  if (searches.length > 32) place.at('searches').invalid(searches, 'must not have more than 32 search paths')
  if (searches.join(' ').length > 2048) place.at('searches').invalid(searches, 'must not have more than 2048 characters (including spaces) in the search list')
  forEach(place.at('searches'), searches, searchPath)
  forEach(place.at('options'), options, (option, here) => {
    if (!option.name) here.required('must not be empty')
  })
}

/** A domain, in which underscores may stand and which may end in a dot; or the root alone. */
function searchPath(search: string, at: Place): void {
  if (search === '.') return
  const domain = search.replace(/\.$/, '')
  for (const why of dns1123Subdomain(domain.replaceAll('_', '-'))) at.invalid(domain, why.replace("'-' or '.'", "'-', '_' or '.'"))
}

function scheduling(at: Place, spec: core.PodSpec): void {
  if (spec.nodeSelector) nodeSelectorLabels(at.at('nodeSelector'), spec.nodeSelector)
  if (spec.affinity) affinity(at.at('affinity'), spec.affinity as core.Affinity)
  if (spec.tolerations) forEach(at.at('tolerations'), spec.tolerations, toleration)
  if (spec.topologySpreadConstraints) spreadConstraints(at.at('topologySpreadConstraints'), spec.topologySpreadConstraints)
  if (spec.schedulingGates) schedulingGates(at.at('schedulingGates'), spec.schedulingGates)
  if (spec.readinessGates) forEach(at.at('readinessGates'), spec.readinessGates, (gate, place) => follows(place.at('conditionType'), gate.conditionType, qualifiedName))
  if (spec.preemptionPolicy !== undefined) oneOfThese(at.at('preemptionPolicy'), spec.preemptionPolicy, preemptionPolicies)
  if (spec.overhead) containerResources(at.at('overhead'), { limits: spec.overhead })
}

function claims(at: Place, list: readonly core.PodResourceClaim[]): void {
  forEach(at, list, (claim, place) => {
    named(place.at('name'), claim.name, dns1123Label)
    const { resourceClaimName, resourceClaimTemplateName } = claim
    const both = resourceClaimName !== undefined && resourceClaimTemplateName !== undefined
    const neither = resourceClaimName === undefined && resourceClaimTemplateName === undefined
    if (both) place.invalid(claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified')
    if (neither) place.invalid(claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`')
    if (resourceClaimName !== undefined) follows(place.at('resourceClaimName'), resourceClaimName, dns1123Subdomain)
    if (resourceClaimTemplateName !== undefined) follows(place.at('resourceClaimTemplateName'), resourceClaimTemplateName, dns1123Subdomain)
  })
  distinct(at, list, (claim) => claim.name, 'name')
}

/** A pod template, as all workloads carry one: labels and annotations beside the spec; ephemeral containers have no place in it. */
export function podTemplate(at: Place, template: core.PodTemplateSpec): void {
  const { labels, annotations } = template.metadata
  validateLabels(labels, at.at('labels'))
  validateAnnotations(annotations, at.at('annotations'))
  if (annotations) podAnnotations(at.at('annotations'), annotations, template.spec)
  podSpec(at.at('spec'), template.spec)
  if (template.spec.ephemeralContainers?.length) at.at('spec').at('ephemeralContainers').forbidden('ephemeral containers not allowed in pod template')
}

/**
 * What holds for a pod beyond its spec: what was let pass in templates, and what its annotations say. `stored`: a spec that was checked before
 * it was stored; the very same object need not be looked at again.
 */
export function podItself({ metadata, spec }: core.Pod, root: Place, stored?: core.PodSpec): void {
  const at = root.at('spec')
  if (metadata.annotations && anyAnnotation(metadata.annotations)) podAnnotations(root.at('metadata').at('annotations'), metadata.annotations, spec)
  if (spec === stored) return
  podSpec(at, spec, { name: metadata.name ?? '' })
  for (const name of containerLists) {
    const list = spec[name] ?? []
    for (let i = 0; i < list.length; i++) {
      const image = list[i]?.image
      if (image && image !== image.trim()) spaces(at.at(name).index(i).at('image'), image)
    }
  }
  if (spec.serviceAccountName || !spec.volumes) return
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [k, source] of ((volume.projected?.sources ?? []) as readonly core.VolumeProjection[]).entries()) {
      if (source.serviceAccountToken) {
        at.at('volumes').index(i).at('projected').at('sources').index(k).at('serviceAccountToken').forbidden('must not be specified when serviceAccountName is not set')
      }
    }
  }
}
