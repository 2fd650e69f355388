/** Environment variables of containers, and where their values come from. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { configMapKey, dns1123Subdomain, envVarName, labelValue, qualifiedName } from '../../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { follows, named } from '../../checks.ts'
import { projectedPath } from './paths.ts'

const envFields = [
  'metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs',
]
const mapsOfEnv = ['metadata.annotations', 'metadata.labels']

const oneSource = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'

/** Validates one environment variable. */
export function envVar(variable: core.EnvVar, at: Place): void {
  named(at.at('name'), variable.name, envVarName)
  const from = variable.valueFrom
  if (!from) return
  const place = at.at('valueFrom')
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = from
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter((s) => s !== undefined).length
  if (fieldRef) fieldSelector(place.at('fieldRef'), fieldRef, envFields, mapsOfEnv)
  if (resourceFieldRef) resourceSelector(place.at('resourceFieldRef'), resourceFieldRef, false)
  if (configMapKeyRef) keySelector(place.at('configMapKeyRef'), configMapKeyRef)
  if (secretKeyRef) keySelector(place.at('secretKeyRef'), secretKeyRef)
  if (fileKeyRef) {
    named(place.at('fileKeyRef').at('volumeName'), fileKeyRef.volumeName)
    named(place.at('fileKeyRef').at('path'), fileKeyRef.path)
    if (fileKeyRef.path) projectedPath(place.at('fileKeyRef').at('path'), fileKeyRef.path)
    named(place.at('fileKeyRef').at('key'), fileKeyRef.key, envVarName)
  }
  if (count === 0) place.invalid('', oneSource)
  else if (variable.value) place.invalid('', 'may not be specified when `value` is not empty')
  else if (count > 1) place.invalid('', 'may not have more than one field specified at a time')
}

function keySelector(at: Place, { name = '', key }: { readonly name?: string | undefined; readonly key: string }): void {
  follows(at.at('name'), name, dns1123Subdomain)
  named(at.at('key'), key, configMapKey)
}

/** Where variables are taken from all at once; how many sources there are is said of the whole `list`. */
export function envFrom(source: core.EnvFromSource, at: Place, list: Place): void {
  if (source.prefix) follows(at.at('prefix'), source.prefix, envVarName)
  const { configMapRef, secretRef } = source
  if (configMapRef) named(at.at('configMapRef').at('name'), configMapRef.name, dns1123Subdomain)
  if (secretRef) named(at.at('secretRef').at('name'), secretRef.name, dns1123Subdomain)
  if (configMapRef && secretRef) list.invalid('', 'may not have more than one field specified at a time')
  if (!configMapRef && !secretRef) list.invalid('', 'must specify one of: `configMapRef` or `secretRef`')
}

const subscripted = /^([^[\]]+)\['(.*)'\]$/
/** Fields that have a name in the downward API; not all of them are for everybody. */
const knownFields = new Set([...envFields, ...mapsOfEnv, 'spec.restartPolicy', 'spec.schedulerName', 'status.phase'])

/** A field of the pod that its containers can be told: one of `allowed`, or one entry of the maps in `maps`. */
export function fieldSelector(at: Place, ref: core.ObjectFieldSelector, allowed: readonly string[], maps: readonly string[]): void {
  if (!ref.apiVersion) return at.at('apiVersion').required()
  if (!ref.fieldPath) return at.at('fieldPath').required()
  const part = subscripted.exec(ref.fieldPath)
  if (part) {
    const [, map, key] = part as unknown as [string, string, string]
    if (!maps.includes(map)) return at.at('fieldPath').invalid(ref.fieldPath, `error converting fieldPath: field label does not support subscript: ${ref.fieldPath}`)
    return follows(at, map === 'metadata.annotations' ? key.toLowerCase() : key, qualifiedName)
  }
  if (ref.apiVersion !== 'v1') return at.at('fieldPath').invalid(ref.fieldPath, `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`)
  if (!knownFields.has(ref.fieldPath)) return at.at('fieldPath').invalid(ref.fieldPath, `error converting fieldPath: field label not supported: ${ref.fieldPath}`)
  if (!allowed.includes(ref.fieldPath)) at.at('fieldPath').notSupported(ref.fieldPath, allowed.toSorted())
}

const containerResources = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']

/** A limit or request of a container. In volumes the container must be named. */
export function resourceSelector(at: Place, ref: core.ResourceFieldSelector, inVolume: boolean): void {
  const huge = /^(?:limits|requests)\.hugepages-/.test(ref.resource)
  if (inVolume && !ref.containerName) at.at('containerName').required()
  else if (!ref.resource) at.at('resource').required()
  else if (!containerResources.includes(ref.resource) && !huge) at.at('resource').notSupported(ref.resource, containerResources)
  divisor(at, ref)
}

const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
/** What may divide a resource, and how an error calls it. */
const divisors: readonly (readonly [of: RegExp, units: readonly string[], shown: string, name: string])[] = [
  [/\.cpu$/, ['1m', '1'], '1m and 1', 'cpu'],
  [/\.memory$/, byteDivisors, byteDivisors.join(', '), 'memory'],
  [/\.ephemeral-storage$/, byteDivisors, byteDivisors.join(', '), 'local ephemeral storage'],
  [/\.hugepages-/, byteDivisors, byteDivisors.join(', '), 'hugepages'],
]

function divisor(at: Place, ref: core.ResourceFieldSelector): void {
  if (!isQuantity(ref.divisor) || parseQuantity(ref.divisor).isZero()) return
  const [, units, shown, name] = divisors.find(([of]) => of.test(ref.resource)) ?? []
  if (!units || units.includes(parseQuantity(ref.divisor).toString())) return
  at.at('divisor').invalid(ref.resource, `only divisor's values ${shown} are supported with the ${name} resource`)
}

/** Labels that stand in a node selector. */
export function nodeSelectorLabels(at: Place, labels: Readonly<Record<string, string>> | undefined): void {
  for (const key in labels) {
    follows(at, key, qualifiedName)
    follows(at, labels[key] ?? '', labelValue)
  }
}
