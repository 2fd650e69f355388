/** What a client should know about a pod, or a template of pods, that is accepted as it is. */
import type { core, meta } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { dns1123Label, labelValue } from '../../../machinery/names.ts'
import { addressWarnings } from '../addresses.ts'
import { readQuantity } from '../amounts.ts'
import { oldNodeLabel } from './node-labels.ts'
import { portWarnings } from './port-warnings.ts'
import { volumeWarnings } from './volume-warnings.ts'

/** A container of any kind, and where it stands: the order of Kubernetes, init containers first. */
export type Standing = readonly [container: core.Container, at: Path, sidecarOrMain: boolean]

/** Annotations that do nothing any more. */
const oldAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}

const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const useProfile = 'non-functional in v1.27+; use the "seccompProfile" field instead'
export const useAppArmorField = 'deprecated since v1.30; use the "appArmorProfile" field instead'

type Described = Pick<core.Pod, 'metadata'>

/** Warnings about a new pod. Updates get none: it is programs that update pods, and often. */
export function podWarnings(pod: core.Pod, current?: core.Pod): readonly string[] {
  if (current) return []
  const problems = dns1123Label(pod.metadata.name ?? '')
  const ofName = problems.length === 0 ? [] : [`metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`]
  return [...ofName, ...specWarnings(path(), pod)]
}

/** Warnings about an object that makes pods: when it is new, and when it changed. `named`: its name becomes a part of host names. */
export function templateWarnings(at: Path, object: Described, template: core.PodTemplateSpec | undefined, current?: Described, named = false): readonly string[] {
  if (current && current.metadata.generation === object.metadata.generation) return []
  const problems = named && !current ? dns1123Label(object.metadata.name ?? '') : []
  const ofName = problems.length === 0 ? [] : [`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`]
  if (!template) return ofName
  return [...ofName, ...specWarnings(at, template), ...appArmorWarnings(at, template)]
}

/** Everything but what is said of AppArmor. `at`: the pod or the template. */
function specWarnings(at: Path, { metadata, spec }: Pick<core.PodTemplateSpec, 'metadata' | 'spec'>): string[] {
  const warnings: string[] = []
  const place = at.at('spec')
  scheduling(place, spec, warnings)
  annotations(at.at('metadata').at('annotations'), metadata.annotations, spec, warnings)
  if (spec.volumes) volumeWarnings(place.at('volumes'), spec.volumes, warnings)
  repeated(place, spec, warnings)
  fractional(place.at('overhead'), spec.overhead, warnings)
  const all = standing(place, spec)
  for (const [container, here] of all) {
    for (const part of parts) fractional(here.at('resources').at(part), container.resources[part], warnings)
    if (container.env && container.env.length > 1) environment(here.at('env'), container.env, warnings)
  }
  portWarnings(all, warnings)
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(`${place.at('terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`)
  }
  for (const [i, server] of (spec.dnsConfig?.nameservers ?? []).entries()) warnings.push(...addressWarnings(place.at('dnsConfig').at('nameservers').index(i), server))
  for (const [i, { ip }] of (spec.hostAliases ?? []).entries()) warnings.push(...addressWarnings(place.at('hostAliases').index(i).at('ip'), ip))
  return warnings
}

/** The containers of all kinds. */
export function standing(at: Path, spec: core.PodSpec): readonly Standing[] {
  const all: Standing[] = []
  for (const [i, container] of (spec.initContainers ?? []).entries()) all.push([container, at.at('initContainers').index(i), container.restartPolicy === 'Always'])
  for (const [i, container] of spec.containers.entries()) all.push([container, at.at('containers').index(i), true])
  for (const [i, container] of (spec.ephemeralContainers ?? []).entries()) all.push([container as core.Container, at.at('ephemeralContainers').index(i), false])
  return all
}

const parts = ['limits', 'requests'] as const
const wholeBytes = ['memory', 'ephemeral-storage'] as const

function fractional(at: Path, amounts: Readonly<Record<string, string>> | undefined, warnings: string[]): void {
  if (!amounts) return
  for (const name of wholeBytes) {
    const quantity = readQuantity(amounts[name])
    if (quantity && quantity.nanos % 1_000_000_000n !== 0n) warnings.push(`${at.key(name)}: fractional byte value ${JSON.stringify(quantity.toString())} is invalid, must be an integer`)
  }
}

/** A variable that is there twice, unless the later one is made of the earlier: `A=1`, `A=$(A)2`. */
function environment(at: Path, env: readonly core.EnvVar[], warnings: string[]): void {
  const seen = new Set<string>()
  for (const [i, { name, value = '', valueFrom }] of env.entries()) {
    const reference = `$(${name})`
    const builds = () => !valueFrom && value !== reference && value.includes(reference)
    if (seen.has(name) && !builds()) warnings.push(`${at.index(i)}: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`)
    seen.add(name)
  }
}

/** Selectors that choose by old labels, and those that choose nothing. */
function scheduling(at: Path, spec: core.PodSpec, warnings: string[]): void {
  for (const key in spec.nodeSelector) if (oldNodeLabel(key)) warnings.push(`${at.at('nodeSelector').key(key)}: ${oldNodeLabel(key)}`)
  const affinity = spec.affinity as core.Affinity | undefined
  if (affinity?.nodeAffinity) nodeAffinity(at.at('affinity').at('nodeAffinity'), affinity.nodeAffinity, warnings)
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const place = at.at('topologySpreadConstraints').index(i)
    if (oldNodeLabel(topologyKey)) warnings.push(`${place.at('topologyKey')}: ${topologyKey} is ${oldNodeLabel(topologyKey)}`)
    matchesNothing(place, labelSelector, warnings)
  }
  for (const name of ['podAffinity', 'podAntiAffinity'] as const) {
    const place = at.at('affinity').at(name)
    const terms = affinity?.[name]
    for (const [i, term] of (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      matchesNothing(place.at('requiredDuringSchedulingIgnoredDuringExecution').index(i), term.labelSelector, warnings)
    }
    for (const [i, { podAffinityTerm }] of (terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      matchesNothing(place.at('preferredDuringSchedulingIgnoredDuringExecution').index(i).at('podAffinityTerm'), podAffinityTerm.labelSelector, warnings)
    }
  }
}

function matchesNothing(at: Path, selector: meta.LabelSelector | undefined, warnings: string[]): void {
  if (!selector) warnings.push(`${at.at('labelSelector')}: a null labelSelector results in matching no pod`)
}

function nodeAffinity(at: Path, value: core.NodeAffinity, warnings: string[]): void {
  const required = at.at('requiredDuringSchedulingIgnoredDuringExecution').at('nodeSelectorTerms')
  for (const [i, term] of (value.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []).entries()) nodeTerm(required.index(i), term, false, warnings)
  const preferred = at.at('preferredDuringSchedulingIgnoredDuringExecution')
  for (const [i, term] of (value.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) nodeTerm(preferred.index(i).at('preference'), term.preference, true, warnings)
}

/** `values`: whether it is worth saying that no label can have such a value; where it is required that is an error. */
function nodeTerm(at: Path, term: core.NodeSelectorTerm, values: boolean, warnings: string[]): void {
  for (const [i, expression] of (term.matchExpressions ?? []).entries()) {
    const place = at.at('matchExpressions').index(i)
    if (oldNodeLabel(expression.key)) warnings.push(`${place.at('key')}: ${expression.key} is ${oldNodeLabel(expression.key)}`)
    if (!values) continue
    for (const [k, value] of (expression.values ?? []).entries()) {
      for (const why of labelValue(value)) warnings.push(`${place.at('values').index(k)}: ${value} is invalid, ${why}`)
    }
  }
}

/** Annotations from before there were fields. */
function annotations(at: Path, given: Readonly<Record<string, string>> | undefined, spec: core.PodSpec, warnings: string[]): void {
  if (!given) return
  for (const key in oldAnnotations) if (given[key] !== undefined) warnings.push(`${at.key(key)}: ${oldAnnotations[key]}`)
  if (given[seccompPod] !== undefined && !spec.securityContext?.seccompProfile) warnings.push(`${at.key(seccompPod)}: ${useProfile}`)
  for (const [{ name, securityContext }] of standing(at, spec)) {
    const key = seccompPrefix + name
    if (given[key] !== undefined && !securityContext?.seccompProfile) warnings.push(`${at.key(key)}: ${useProfile}`)
  }
}

/** In templates; for pods it is said when the annotation is put into the field. */
function appArmorWarnings(at: Path, { metadata, spec }: core.PodTemplateSpec): string[] {
  const given = metadata.annotations
  if (!given || spec.securityContext?.appArmorProfile) return []
  return standing(at, spec).flatMap(([{ name, securityContext }]) => {
    const key = appArmorPrefix + name
    return given[key] === undefined || securityContext?.appArmorProfile ? [] : [`${at.at('metadata').at('annotations').key(key)}: ${useAppArmorField}`]
  })
}

/** Aliases and secrets that are there twice. */
function repeated(at: Path, spec: core.PodSpec, warnings: string[]): void {
  const addresses = new Set<string>()
  for (const [i, { ip }] of (spec.hostAliases ?? []).entries()) {
    if (addresses.has(ip)) warnings.push(`${at.at('hostAliases').index(i).at('ip')}: duplicate ip ${JSON.stringify(ip)}`)
    addresses.add(ip)
  }
  const secrets = new Set<string>()
  for (const [i, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    const place = at.at('imagePullSecrets').index(i).at('name')
    if (secrets.has(name)) warnings.push(`${place}: duplicate name ${JSON.stringify(name)}`)
    if (name === '') warnings.push(`${place}: invalid empty name ""`)
    secrets.add(name)
  }
}
