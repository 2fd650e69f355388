/** Environment variables of containers, and where their values come from. */
import type { core } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { configMapKey, dns1123Subdomain, envVarName, labelValue, qualifiedName } from '../../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { follows, named, type Check } from '../../checks.ts'
import { isHugePages } from './resources.ts'

const envFields = [
  'metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs',
]
const mapsOfEnv = ['metadata.annotations', 'metadata.labels']

const oneSource = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'

export function* envVar(variable: core.EnvVar, at: Path): Check {
  yield* named(at.at('name'), variable.name, envVarName)
  const from = variable.valueFrom
  if (!from) return
  const place = at.at('valueFrom')
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = from
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter((s) => s !== undefined).length
  if (count === 0) yield place.invalid('', oneSource)
  if (count > 1) yield place.invalid('', 'may not have more than one field specified at a time')
  if (variable.value) yield place.invalid('', 'may not be specified when `value` is not empty')
  if (fieldRef) yield* fieldSelector(place.at('fieldRef'), fieldRef, envFields, mapsOfEnv)
  if (resourceFieldRef) yield* resourceSelector(place.at('resourceFieldRef'), resourceFieldRef, false)
  if (configMapKeyRef) yield* keySelector(place.at('configMapKeyRef'), configMapKeyRef)
  if (secretKeyRef) yield* keySelector(place.at('secretKeyRef'), secretKeyRef)
  if (fileKeyRef) {
    yield* named(place.at('fileKeyRef').at('volumeName'), fileKeyRef.volumeName)
    yield* named(place.at('fileKeyRef').at('path'), fileKeyRef.path)
    yield* named(place.at('fileKeyRef').at('key'), fileKeyRef.key, envVarName)
  }
}

function* keySelector(at: Path, { name, key }: { readonly name?: string | undefined; readonly key: string }): Check {
  yield* named(at.at('name'), name)
  yield* named(at.at('key'), key, configMapKey)
}

export function* envFrom(source: core.EnvFromSource, at: Path): Check {
  if (source.prefix) yield* follows(at.at('prefix'), source.prefix, envVarName)
  const { configMapRef, secretRef } = source
  if (configMapRef) yield* named(at.at('configMapRef').at('name'), configMapRef.name, dns1123Subdomain)
  if (secretRef) yield* named(at.at('secretRef').at('name'), secretRef.name, dns1123Subdomain)
  if (configMapRef && secretRef) yield at.invalid('', 'may not have more than one field specified at a time')
  if (!configMapRef && !secretRef) yield at.invalid('', 'must specify one of: `configMapRef` or `secretRef`')
}

const subscripted = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/

/** A field of the pod that its containers can be told: one of `allowed`, or one entry of the maps in `maps`. */
export function* fieldSelector(at: Path, ref: core.ObjectFieldSelector, allowed: readonly string[], maps: readonly string[]): Check {
  if (!ref.apiVersion) yield at.at('apiVersion').required()
  if (!ref.fieldPath) return yield at.at('fieldPath').required()
  const part = subscripted.exec(ref.fieldPath)
  if (part) {
    const [, map, key] = part as unknown as [string, string, string]
    if (!maps.includes(map)) return yield at.at('fieldPath').invalid(ref.fieldPath, 'does not support subscript')
    return yield* follows(at, map === 'metadata.annotations' ? key.toLowerCase() : key, qualifiedName)
  }
  if (!allowed.includes(ref.fieldPath)) yield at.at('fieldPath').notSupported(ref.fieldPath, allowed.toSorted())
}

const containerResources = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']

/** A limit or request of a container. In volumes the container must be named. */
export function* resourceSelector(at: Path, ref: core.ResourceFieldSelector, inVolume: boolean): Check {
  if (inVolume && !ref.containerName) yield at.at('containerName').required()
  if (!ref.resource) return yield at.at('resource').required()
  const huge = isHugePages(ref.resource.replace(/^(?:limits|requests)\./, ''))
  if (!containerResources.includes(ref.resource) && !huge) yield at.at('resource').notSupported(ref.resource, containerResources)
  yield* divisor(at, ref)
}

const divisors: Readonly<Record<string, readonly string[]>> = {
  cpu: ['1m', '1'],
  bytes: ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'],
}

function* divisor(at: Path, ref: core.ResourceFieldSelector): Check {
  if (!isQuantity(ref.divisor) || parseQuantity(ref.divisor).isZero()) return
  const cpu = ref.resource.endsWith('.cpu')
  const allowed = divisors[cpu ? 'cpu' : 'bytes'] ?? []
  if (allowed.some((unit) => parseQuantity(unit).compare(parseQuantity(ref.divisor)) === 0)) return
  const shown = cpu ? 'only divisor\'s values 1m and 1 are supported with the cpu resource'
    : `only divisor's values ${allowed.slice(0, -1).join(', ')}, ${allowed.at(-1)} are supported with the ${ref.resource.split('.')[1]} resource`
  yield at.at('divisor').invalid(ref.resource, shown)
}

/** Labels that stand in a node selector. */
export function* nodeSelectorLabels(at: Path, labels: Readonly<Record<string, string>> | undefined): Check {
  for (const [key, value] of Object.entries(labels ?? {})) {
    yield* follows(at, key, qualifiedName)
    yield* follows(at, value, labelValue)
  }
}
