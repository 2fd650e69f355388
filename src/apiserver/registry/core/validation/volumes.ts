/** Volumes of a pod. */
import { core, resolve, type Fields } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { configMapKey, dns1123Label } from '../../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { distinct, forEach, ifThere, named, none, type Check, type Errors } from '../../checks.ts'
import { claimSpec } from './claims.ts'
import { fieldSelector, resourceSelector } from './env.ts'
import { absolutePath, descendingPath, fileMode, noClimbing, projectedPath } from './paths.ts'

const oneKind = 'may not specify more than 1 volume type'

const sourceFields: Fields = core.VolumeSource.fields
const sourceNames = Object.keys(sourceFields)

/** All volumes of a pod: each with a name of its own and one source. */
export function* volumes(at: Path, list: readonly core.Volume[] | undefined): Check {
  yield* forEach(at, list, function* (volume, place) {
    yield* named(place.at('name'), volume.name, dns1123Label)
    yield* volumeSource(place, volume)
  })
  yield* distinct(at, list, (volume) => volume.name, 'name')
}

/** The source of a volume: exactly one, and that one in order. */
function* volumeSource(at: Path, source: core.VolumeSource): Check {
  const there = sourceNames.filter((name) => source[name as keyof core.VolumeSource] !== undefined)
  const [first, ...more] = there
  if (first === undefined) return yield at.required('must specify a volume type')
  for (const name of more) yield at.at(name).forbidden(oneKind)
  yield* checkSource(at.at(first), first as keyof core.VolumeSource, source)
}

type Sources = { readonly [K in keyof core.VolumeSource]-?: (at: Path, source: NonNullable<core.VolumeSource[K]>) => Errors }

/** What kinds of sources need beyond their required fields. */
const special: Partial<Sources> = {
  hostPath: (at, source) => hostPath(at, source),
  emptyDir: function* (at, { sizeLimit }) {
    if (sizeLimit !== undefined && isQuantity(sizeLimit) && parseQuantity(sizeLimit).nanos < 0n) yield at.at('sizeLimit').forbidden('SizeLimit field must be a valid resource quantity')
  },
  secret: function* (at, source) {
    yield* named(at.at('secretName'), source.secretName)
    yield* fileMode(at.at('defaultMode'), source.defaultMode)
    yield* forEach(at.at('items'), source.items, keyToPath)
  },
  configMap: function* (at, source) {
    yield* named(at.at('name'), source.name)
    yield* fileMode(at.at('defaultMode'), source.defaultMode)
    yield* forEach(at.at('items'), source.items, keyToPath)
  },
  downwardAPI: function* (at, source) {
    yield* fileMode(at.at('defaultMode'), source.defaultMode)
    yield* forEach(at, source.items, downwardFile)
  },
  projected: (at, source) => projected(at, source),
  nfs: function* (at, source) {
    if (source.path) yield* absolutePath(at.at('path'), source.path)
  },
  gitRepo: function* (at, source) {
    if (source.directory) yield* descendingPath(at.at('directory'), source.directory)
  },
  ephemeral: function* (at, source) {
    if (!source.volumeClaimTemplate) yield at.at('volumeClaimTemplate').required()
    else yield* claimSpec(at.at('volumeClaimTemplate').at('spec'), source.volumeClaimTemplate.spec)
  },
  image: function* (at, source) {
    yield* named(at.at('reference'), source.reference)
    yield* ifThere(at.at('pullPolicy'), source.pullPolicy, ['Always', 'IfNotPresent', 'Never'])
  },
}

function* checkSource<K extends keyof core.VolumeSource>(at: Path, kind: K, source: core.VolumeSource): Check {
  const part = source[kind] as NonNullable<core.VolumeSource[K]>
  const more = special[kind] as ((at: Path, source: NonNullable<core.VolumeSource[K]>) => Errors) | undefined
  yield* requiredTexts(at, kind, part)
  if (more) yield* more(at, part)
}

/** The schema says which texts of a source a client must give. */
function requiredTexts(at: Path, kind: string, part: object): Errors {
  let names = requiredNames.get(kind)
  if (!names) requiredNames.set(kind, (names = textsOf(kind)))
  const missing = names.filter((name) => (part as Record<string, unknown>)[name] === '')
  return missing.length === 0 ? none : missing.map((name) => at.at(name).required())
}

const requiredNames = new Map<string, readonly string[]>()

function textsOf(kind: string): readonly string[] {
  const field = sourceFields[kind]
  const type = field && resolve(field.type)
  if (type?.form !== 'struct') return []
  const isText = ({ presence, type }: Fields[string]) => (presence === 'req' || presence === 'must') && resolve(type).form === 'scalar'
  return Object.keys(type.fields).filter((name) => isText(type.fields[name]!))
}

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']

export function* hostPath(at: Path, source: core.HostPathVolumeSource): Check {
  yield* noClimbing(at.at('path'), source.path)
  yield* ifThere(at.at('type'), source.type, hostPathTypes)
}

function* keyToPath(item: core.KeyToPath, at: Path): Check {
  yield* named(at.at('key'), item.key, configMapKey)
  yield* named(at.at('path'), item.path)
  if (item.path) yield* projectedPath(at.at('path'), item.path)
  yield* fileMode(at.at('mode'), item.mode)
}

const downwardFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
const downwardMaps = ['metadata.annotations', 'metadata.labels']

function* downwardFile(file: core.DownwardAPIVolumeFile, at: Path): Check {
  yield* named(at.at('path'), file.path)
  if (file.path) yield* projectedPath(at.at('path'), file.path)
  const { fieldRef, resourceFieldRef } = file
  if (fieldRef && resourceFieldRef) yield at.invalid('resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')
  if (fieldRef) yield* fieldSelector(at.at('fieldRef'), fieldRef, downwardFields, downwardMaps)
  else if (resourceFieldRef) yield* resourceSelector(at.at('resourceFieldRef'), resourceFieldRef, true)
  else yield at.required('one of fieldRef and resourceFieldRef is required')
  yield* fileMode(at.at('mode'), file.mode)
}

function* projected(at: Path, source: core.ProjectedVolumeSource): Check {
  yield* fileMode(at.at('defaultMode'), source.defaultMode)
  yield* forEach(at.at('sources'), source.sources as readonly core.VolumeProjection[], projection)
  yield* overlapping(at, source.sources)
}

const projectionNames = ['secret', 'downwardAPI', 'configMap', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate'] as const

function* projection(source: core.VolumeProjection, at: Path): Check {
  const [first, ...more] = projectionNames.filter((name) => source[name] !== undefined)
  if (first === undefined) return yield at.required('must specify a source type')
  for (const name of more) yield at.at(name).forbidden(oneKind)
  const { downwardAPI, serviceAccountToken: token } = source
  for (const name of ['secret', 'configMap'] as const) {
    const part = source[name]
    if (!part) continue
    yield* named(at.at(name).at('name'), part.name)
    yield* forEach(at.at(name).at('items'), part.items, keyToPath)
  }
  if (downwardAPI) yield* forEach(at.at('downwardAPI'), downwardAPI.items, downwardFile)
  if (token) yield* tokenProjection(at.at('serviceAccountToken'), token)
  if (source.clusterTrustBundle) yield* named(at.at('clusterTrustBundle').at('path'), source.clusterTrustBundle.path)
  if (source.podCertificate) yield* named(at.at('podCertificate').at('signerName'), source.podCertificate.signerName)
}

function* tokenProjection(at: Path, token: core.ServiceAccountTokenProjection): Check {
  const seconds = token.expirationSeconds ?? 3600
  if (seconds < 600) yield at.at('expirationSeconds').invalid(seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > 2 ** 32) yield at.at('expirationSeconds').invalid(seconds, 'may not specify a duration larger than 2^32 seconds')
  yield* named(at.at('path'), token.path)
  if (token.path) yield* projectedPath(at.at('path'), token.path)
}

/** Two sources of a projected volume cannot write the same file. */
function overlapping(at: Path, sources: core.ProjectedVolumeSource['sources']): Errors {
  const taken = new Set<string>()
  const twice: string[] = []
  const take = ({ path }: { readonly path: string }) => {
    if (path && taken.has(path)) twice.push(path)
    taken.add(path)
  }
  for (const { secret, configMap, downwardAPI, serviceAccountToken } of sources as readonly core.VolumeProjection[]) {
    secret?.items?.forEach(take)
    configMap?.items?.forEach(take)
    downwardAPI?.items?.forEach(take)
    if (serviceAccountToken) take(serviceAccountToken)
  }
  return twice.length === 0 ? none : twice.map((path) => at.invalid(path, 'conflicting duplicate paths'))
}
