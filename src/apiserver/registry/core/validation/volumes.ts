/** Volumes of a pod. */
import { core, resolve, type Fields } from '../../../../api/index.ts'
import type { FieldError, Path } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, validateAnnotations, validateLabels } from '../../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { distinct, forEach, ifThere, named, none, oneOfThese, selector, type Check, type Errors } from '../../checks.ts'
import { claimSpec } from './claims.ts'
import { fieldSelector, resourceSelector } from './env.ts'
import { absolutePath, descendingPath, fileMode, noClimbing, projectedPath } from './paths.ts'
import { azureDisk, csi, fc, flexOptions, flocker, iscsi, monitors, partition, quobyte, signerName, sourcePath, storageos } from './volume-sources.ts'

const oneKind = 'may not specify more than 1 volume type'

/** The order in which sources are looked for: the first that is there is the volume's, the others are refused. */
const sourceNames: readonly (keyof core.VolumeSource)[] = [
  'emptyDir', 'hostPath', 'gitRepo', 'gcePersistentDisk', 'awsElasticBlockStore', 'secret', 'nfs', 'iscsi', 'glusterfs', 'flocker', 'persistentVolumeClaim',
  'rbd', 'cinder', 'cephfs', 'quobyte', 'downwardAPI', 'fc', 'flexVolume', 'configMap', 'azureFile', 'vsphereVolume', 'photonPersistentDisk',
  'portworxVolume', 'azureDisk', 'storageos', 'projected', 'scaleIO', 'csi', 'ephemeral', 'image',
]

type Pod = { readonly name: string } | undefined

/** All volumes of a pod, or of a template of pods: each with a name of its own and one source. */
export function* volumes(at: Path, list: readonly core.Volume[] | undefined, pod?: Pod): Check {
  if (!list || list.length === 0) return
  const created = pod?.name && list.some((volume) => volume.ephemeral) ? list.filter((volume) => volume.ephemeral).map((volume) => `${pod.name}-${volume.name}`) : undefined
  yield* forEach(at, list, function* (volume, place) {
    yield* volumeSource(place, volume, pod)
    yield* named(place.at('name'), volume.name, dns1123Label)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim && created?.includes(claim)) yield place.at('persistentVolumeClaim').at('claimName').invalid(claim, 'must not reference a PVC that gets created for an ephemeral volume')
  })
  yield* distinct(at, list, (volume) => volume.name, 'name')
}

/** The source of a volume that has one, as nearly all do; undefined when it has none or several. */
function onlySource(volume: core.Volume): keyof core.VolumeSource | undefined {
  let only: keyof core.VolumeSource | undefined
  for (const name in volume) {
    if (name === 'name' || volume[name as keyof core.Volume] === undefined) continue
    if (only) return undefined
    only = name as keyof core.VolumeSource
  }
  return only
}

/** The source of a volume: exactly one, and that one in order. */
function* volumeSource(at: Path, volume: core.Volume, pod: Pod): Check {
  let first = onlySource(volume)
  if (!first) {
    for (const name of sourceNames) {
      if (volume[name] === undefined) continue
      if (first) yield at.at(name).forbidden(oneKind)
      else first = name
    }
  }
  if (!first) return yield at.required('must specify a volume type')
  yield* checkSource(at.at(sourcePath[first] ?? first), first, volume)
  if (first === 'image' && pod && !volume.image?.reference) yield at.at('image').at('reference').required()
  if (first === 'iscsi' && volume.iscsi?.initiatorName !== undefined && `${volume.name}:${volume.iscsi.targetPortal}`.length > 64) {
    yield at.at('name').invalid(volume.name, 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.')
  }
  if (first !== 'ephemeral' || !pod?.name || !volume.name) return
  const claim = `${pod.name}-${volume.name}`
  for (const why of dns1123Subdomain(claim)) yield at.at('name').invalid(volume.name, `PVC name ${JSON.stringify(claim)}: ${why}`)
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
    for (const file of source.items ?? []) yield* downwardFile(at, file)
  },
  projected: (at, source) => projected(at, source),
  nfs: (at, source) => absolutePath(at.at('path'), source.path),
  gitRepo: (at, source) => (source.directory ? descendingPath(at.at('directory'), source.directory) : none),
  ephemeral: function* (at, { volumeClaimTemplate: template }) {
    if (!template) return yield at.at('volumeClaimTemplate').required()
    const place = at.at('volumeClaimTemplate')
    yield* claimTemplateMeta(place.at('metadata'), template.metadata)
    yield* claimSpec(place.at('spec'), template.spec)
  },
  image: (at, source) => oneOfThese(at.at('pullPolicy'), source.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
  gcePersistentDisk: partition,
  awsElasticBlockStore: partition,
  iscsi, fc, flocker, quobyte, azureDisk, storageos, csi,
  rbd: monitors,
  cephfs: monitors,
  flexVolume: flexOptions,
  cinder: (at, { secretRef }) => (secretRef ? named(at.at('secretRef').at('name'), secretRef.name) : none),
}

/** Of the metadata of a claim's template only labels and annotations count. */
function* claimTemplateMeta(at: Path, metadata: core.PersistentVolumeClaimTemplate['metadata']): Check {
  if (!metadata) return
  yield* validateAnnotations(metadata.annotations, at.at('annotations'))
  yield* validateLabels(metadata.labels, at.at('labels'))
  for (const [name, value] of Object.entries(metadata)) {
    const there = value !== undefined && value !== null && value !== ''
    if (there && name !== 'labels' && name !== 'annotations') yield at.at(name).forbidden('cannot be set')
  }
}

function* checkSource<K extends keyof core.VolumeSource>(at: Path, kind: K, source: core.VolumeSource): Check {
  const part = source[kind] as NonNullable<core.VolumeSource[K]>
  const more = special[kind] as ((at: Path, source: NonNullable<core.VolumeSource[K]>) => Errors) | undefined
  yield* requiredTexts(at, core.VolumeSource.fields, kind, part)
  if (more) yield* more(at, part)
}

/** The schema says which texts of a source a client must give. `of`: the fields of the union that `kind` is a part of. */
export function requiredTexts(at: Path, of: Fields, kind: string, part: object): Errors {
  const type = of[kind]
  if (!type || kind === 'csi' || kind === 'storageos') return none
  let names = requiredNames.get(type)
  if (!names) requiredNames.set(type, (names = textsOf(type)))
  const missing = names.filter((name) => (part as Record<string, unknown>)[name] === '')
  if (missing.length === 0) return none
  return missing.map((name) => at.at(name).required(name === 'registry' ? 'must be a host:port pair or multiple pairs separated by commas' : ''))
}

const requiredNames = new Map<Fields[string], readonly string[]>()

function textsOf(field: Fields[string]): readonly string[] {
  const type = resolve(field.type)
  if (type.form !== 'struct') return []
  const isText = ({ presence, type }: Fields[string]) => (presence === 'req' || presence === 'must') && resolve(type).form === 'scalar'
  return Object.keys(type.fields).filter((name) => isText(type.fields[name]!))
}

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']

/** A path of the node, and what must be there. */
export function* hostPath(at: Path, source: core.HostPathVolumeSource): Check {
  if (!source.path) return
  yield* noClimbing(at.at('path'), source.path)
  yield* ifThere(at.at('type'), source.type, hostPathTypes)
}

function* keyToPath(item: core.KeyToPath, at: Path): Check {
  yield* named(at.at('key'), item.key)
  yield* named(at.at('path'), item.path)
  if (item.path) yield* projectedPath(at.at('path'), item.path)
  yield* fileMode(at.at('mode'), item.mode)
}

const downwardFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
const downwardMaps = ['metadata.annotations', 'metadata.labels']

/** What is wrong with one of the files stands at the source as a whole. */
function* downwardFile(at: Path, file: core.DownwardAPIVolumeFile): Check {
  yield* named(at.at('path'), file.path)
  if (file.path) yield* projectedPath(at.at('path'), file.path)
  const { fieldRef, resourceFieldRef } = file
  if (fieldRef) yield* fieldSelector(at.at('fieldRef'), fieldRef, downwardFields, downwardMaps)
  if (fieldRef && resourceFieldRef) yield at.invalid('resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')
  else if (resourceFieldRef) yield* resourceSelector(at.at('resourceFieldRef'), resourceFieldRef, true)
  else if (!fieldRef) yield at.required('one of fieldRef and resourceFieldRef is required')
  yield* fileMode(at.at('mode'), file.mode)
}

function* projected(at: Path, source: core.ProjectedVolumeSource): Check {
  yield* fileMode(at.at('defaultMode'), source.defaultMode)
  yield* forEach(at.at('sources'), source.sources as readonly core.VolumeProjection[], (one, place) => projection(at, place, one))
  yield* overlapping(at, source.sources as readonly core.VolumeProjection[])
}

const projectionNames = ['secret', 'downwardAPI', 'configMap', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate'] as const

/** One source. `whole` is the volume, where what is wrong with a token's path stands. */
function* projection(whole: Path, at: Path, source: core.VolumeProjection): Check {
  for (const name of ['secret', 'configMap'] as const) {
    const part = source[name]
    if (!part) continue
    yield* named(at.at(name).at('name'), part.name)
    yield* forEach(at.at(name).at('items'), part.items, keyToPath)
  }
  for (const file of source.downwardAPI?.items ?? []) yield* downwardFile(at.at('downwardAPI'), file)
  const { serviceAccountToken: token, clusterTrustBundle: bundle, podCertificate: certificate } = source
  if (token) yield* tokenProjection(whole, at.at('serviceAccountToken'), token)
  if (bundle) yield* bundleProjection(at.at('clusterTrustBundle'), bundle)
  if (certificate) yield* certificateProjection(at.at('podCertificate'), certificate)
  let sources = 0
  for (const name of projectionNames) if (source[name] !== undefined) sources++
  if (sources > 1) yield at.forbidden('may not specify more than 1 volume type per source')
}

function* tokenProjection(whole: Path, at: Path, token: core.ServiceAccountTokenProjection): Check {
  const seconds = token.expirationSeconds ?? 3600
  if (seconds < 600) yield at.at('expirationSeconds').invalid(seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > 2 ** 32) yield at.at('expirationSeconds').invalid(seconds, 'may not specify a duration larger than 2^32 seconds')
  yield* named(whole.at('path'), token.path)
  if (token.path) yield* projectedPath(whole.at('path'), token.path)
}

function* bundleProjection(at: Path, bundle: core.ClusterTrustBundleProjection): Check {
  const { name, signerName: signer, labelSelector, path } = bundle
  if (name !== undefined && signer !== undefined) yield at.invalid(bundle, 'only one of name and signerName may be used')
  else if (name !== undefined) {
    if (name === '') yield at.at('name').required('must be a valid object name')
    if (labelSelector) yield at.at('labelSelector').invalid(labelSelector, 'labelSelector must be unset if name is specified')
  } else if (signer !== undefined) {
    yield* signerName(at.at('signerName'), signer)
    yield* selector(at.at('labelSelector'), labelSelector)
  } else yield at.required('either name or signerName must be specified')
  yield* named(at.at('path'), path)
  if (path) yield* projectedPath(at.at('path'), path)
}

const certificateFiles = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const
const keyTypes = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096']

function* certificateProjection(at: Path, certificate: core.PodCertificateProjection): Check {
  yield* signerName(at.at('signerName'), certificate.signerName ?? '')
  yield* oneOfThese(at.at('keyType'), certificate.keyType, keyTypes)
  const seconds = certificate.maxExpirationSeconds
  if (seconds !== undefined && seconds < 3600) yield at.at('maxExpirationSeconds').invalid(seconds, 'if provided, maxExpirationSeconds must be >= 3600')
  if (seconds !== undefined && seconds > 7862400) yield at.at('maxExpirationSeconds').invalid(seconds, 'if provided, maxExpirationSeconds must be <= 7862400')
  for (const name of certificateFiles) {
    const path = certificate[name]
    if (path) yield* projectedPath(at.at(name), path)
  }
  if (certificateFiles.every((name) => !certificate[name])) yield at.required('specify at least one of credentialBundlePath, keyPath, and certificateChainPath')
}

/** Two sources of a projected volume cannot write the same file. */
function overlapping(at: Path, sources: readonly core.VolumeProjection[]): Errors {
  const taken = new Set<string>()
  let errors: FieldError[] | undefined
  const take = (path: string | undefined, shown: string | undefined) => {
    if (!path) return
    if (taken.has(path)) (errors ??= []).push(at.invalid(shown, 'conflicting duplicate paths'))
    taken.add(path)
  }
  for (const { secret, configMap, downwardAPI, clusterTrustBundle, podCertificate } of sources) {
    for (const { path } of secret?.items ?? []) take(path, secret?.name)
    for (const { path } of configMap?.items ?? []) take(path, configMap?.name)
    for (const { path } of downwardAPI?.items ?? []) take(path, path)
    if (clusterTrustBundle) take(clusterTrustBundle.path, clusterTrustBundle.path)
    if (podCertificate) for (const name of certificateFiles) take(podCertificate[name], podCertificate[name])
  }
  return errors ?? none
}
