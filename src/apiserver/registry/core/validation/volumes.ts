/** Volumes of a pod. */
import { core, resolve, type Fields } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, validateAnnotations, validateLabels } from '../../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../../machinery/quantity.ts'
import { forEach, ifThere, named, oneOfThese, selector } from '../../checks.ts'
import { claimSpec } from './claims.ts'
import { fieldSelector, resourceSelector } from './env.ts'
import type { Volumes } from './mounts.ts'
import { absolutePath, descendingPath, fileMode, noClimbing, projectedPath } from './paths.ts'
import { azureDisk, csi, fc, flexOptions, flocker, iscsi, monitors, partition, quobyte, signerName, sourcePath, storageos } from './volume-sources.ts'

const oneKind = 'may not specify more than 1 volume type'

/** The order in which sources are looked for: the first that is there is the volume's, the others are refused. */
const sourceNames: readonly (keyof core.VolumeSource)[] = [
  'emptyDir', 'hostPath', 'gitRepo', 'gcePersistentDisk', 'awsElasticBlockStore', 'secret', 'nfs', 'iscsi', 'glusterfs', 'flocker', 'persistentVolumeClaim',
  'rbd', 'cinder', 'cephfs', 'quobyte', 'downwardAPI', 'fc', 'flexVolume', 'configMap', 'azureFile', 'vsphereVolume', 'photonPersistentDisk',
  'portworxVolume', 'azureDisk', 'storageos', 'projected', 'scaleIO', 'csi', 'ephemeral', 'image',
]

/** Names that Kubernetes misspells when it refuses a second source. */
const refusedName: Readonly<Record<string, string>> = { downwardAPI: 'downwarAPI', cephfs: 'cephFS' }

type Pod = { readonly name: string } | undefined

/** All volumes of a pod, or of a template of pods: each with a name of its own and one source. What is faulty cannot be mounted: the others are given back. */
export function volumes(at: Place, list: readonly core.Volume[] | undefined, pod?: Pod): Volumes {
  const sound = new Map<string, core.Volume>()
  if (!list || list.length === 0) return sound
  const created = pod?.name && list.some((volume) => volume.ephemeral) ? list.filter((volume) => volume.ephemeral).map((volume) => `${pod.name}-${volume.name}`) : undefined
  forEach(at, list, (volume, place) => {
    const before = at.said
    volumeSource(place, volume, pod)
    named(place.at('name'), volume.name, dns1123Label)
    if (sound.has(volume.name)) place.at('name').duplicate(volume.name)
    if (at.said === before) sound.set(volume.name, volume)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim && created?.includes(claim)) place.at('persistentVolumeClaim').at('claimName').invalid(claim, 'must not reference a PVC that gets created for an ephemeral volume')
  })
  return sound
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
function volumeSource(at: Place, volume: core.Volume, pod: Pod): void {
  let first = onlySource(volume)
  if (!first) {
    for (const name of sourceNames) {
      if (volume[name] === undefined) continue
      if (first) at.at(refusedName[name] ?? name).forbidden(oneKind)
      else checkSource(at.at(sourcePath[name] ?? name), name, volume)
      first ??= name
    }
  } else checkSource(at.at(sourcePath[first] ?? first), first, volume)
  if (!first) return at.required('must specify a volume type')
  if (first === 'image' && pod && !volume.image?.reference) at.at('image').at('reference').required()
  if (first === 'iscsi' && volume.iscsi?.initiatorName !== undefined && `${volume.name}:${volume.iscsi.targetPortal}`.length > 64) {
    at.at('name').invalid(volume.name, 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.')
  }
  if (first !== 'ephemeral' || !pod?.name || !volume.name) return
  const claim = `${pod.name}-${volume.name}`
  for (const why of dns1123Subdomain(claim)) at.at('name').invalid(volume.name, `PVC name ${JSON.stringify(claim)}: ${why}`)
}

type Sources = { readonly [K in keyof core.VolumeSource]-?: (at: Place, source: NonNullable<core.VolumeSource[K]>) => void }

/** What kinds of sources need beyond their required fields. */
const special: Partial<Sources> = {
  hostPath: (at, source) => hostPath(at, source),
  emptyDir: (at, { sizeLimit }) => {
    if (sizeLimit !== undefined && isQuantity(sizeLimit) && parseQuantity(sizeLimit).nanos < 0n) at.at('sizeLimit').forbidden('SizeLimit field must be a valid resource quantity')
  },
  secret: (at, source) => {
    named(at.at('secretName'), source.secretName)
    fileMode(at.at('defaultMode'), source.defaultMode)
    forEach(at.at('items'), source.items, keyToPath)
  },
  configMap: (at, source) => {
    named(at.at('name'), source.name)
    fileMode(at.at('defaultMode'), source.defaultMode)
    forEach(at.at('items'), source.items, keyToPath)
  },
  downwardAPI: (at, source) => {
    fileMode(at.at('defaultMode'), source.defaultMode)
    for (const file of source.items ?? []) downwardFile(at, file)
  },
  projected: (at, source) => projected(at, source),
  nfs: (at, source) => absolutePath(at.at('path'), source.path),
  gitRepo: (at, source) => {
    if (source.directory) descendingPath(at.at('directory'), source.directory)
  },
  ephemeral: (at, { volumeClaimTemplate: template }) => {
    if (!template) return at.at('volumeClaimTemplate').required()
    const place = at.at('volumeClaimTemplate')
    claimTemplateMeta(place.at('metadata'), template.metadata)
    claimSpec(place.at('spec'), template.spec)
  },
  image: (at, source) => oneOfThese(at.at('pullPolicy'), source.pullPolicy, ['Always', 'IfNotPresent', 'Never']),
  gcePersistentDisk: partition,
  awsElasticBlockStore: partition,
  iscsi, fc, flocker, quobyte, azureDisk, storageos, csi,
  scaleIO: (at, { volumeName }) => named(at.at('volumeName'), volumeName),
  cephfs: monitors,
  flexVolume: flexOptions,
  cinder: (at, { secretRef }) => {
    if (secretRef) named(at.at('secretRef').at('name'), secretRef.name)
  },
}

/** Of the metadata of a claim's template only labels and annotations count. */
function claimTemplateMeta(at: Place, metadata: core.PersistentVolumeClaimTemplate['metadata']): void {
  if (!metadata) return
  validateAnnotations(metadata.annotations, at.at('annotations'))
  validateLabels(metadata.labels, at.at('labels'))
  for (const [name, value] of Object.entries(metadata)) {
    const there = value !== undefined && value !== null && value !== ''
    if (there && name !== 'labels' && name !== 'annotations') at.at(name).forbidden('cannot be set')
  }
}

function checkSource<K extends keyof core.VolumeSource>(at: Place, kind: K, source: core.VolumeSource): void {
  const part = source[kind] as NonNullable<core.VolumeSource[K]>
  const more = special[kind] as ((at: Place, source: NonNullable<core.VolumeSource[K]>) => void) | undefined
  if (kind === 'rbd') monitors(at, part as core.RBDVolumeSource)
  requiredTexts(at, core.VolumeSource.fields, kind, part)
  if (more) more(at, part)
}

/** The schema says which texts of a source a client must give. `of`: the fields of the union that `kind` is a part of. */
export function requiredTexts(at: Place, of: Fields, kind: string, part: object): void {
  const type = of[kind]
  if (!type || kind === 'csi' || kind === 'storageos') return
  let names = requiredNames.get(type)
  if (!names) requiredNames.set(type, (names = textsOf(type)))
  for (const name of names) {
    if ((part as Record<string, unknown>)[name] === '') at.at(name).required(name === 'registry' ? 'must be a host:port pair or multiple pairs separated by commas' : '')
  }
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
export function hostPath(at: Place, source: core.HostPathVolumeSource): void {
  if (!source.path) return
  noClimbing(at.at('path'), source.path)
  ifThere(at.at('type'), source.type, hostPathTypes)
}

function keyToPath(item: core.KeyToPath, at: Place): void {
  named(at.at('key'), item.key)
  named(at.at('path'), item.path)
  if (item.path) projectedPath(at.at('path'), item.path)
  fileMode(at.at('mode'), item.mode)
}

const downwardFields = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
const downwardMaps = ['metadata.annotations', 'metadata.labels']

/** What is wrong with one of the files stands at the source as a whole. */
function downwardFile(at: Place, file: core.DownwardAPIVolumeFile): void {
  named(at.at('path'), file.path)
  if (file.path) projectedPath(at.at('path'), file.path)
  const { fieldRef, resourceFieldRef } = file
  if (fieldRef) fieldSelector(at.at('fieldRef'), fieldRef, downwardFields, downwardMaps)
  if (fieldRef && resourceFieldRef) at.invalid('resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')
  else if (resourceFieldRef) resourceSelector(at.at('resourceFieldRef'), resourceFieldRef, true)
  else if (!fieldRef) at.required('one of fieldRef and resourceFieldRef is required')
  fileMode(at.at('mode'), file.mode)
}

/** Sources that the system mounts itself: one frozen object for all pods, and in order for ever when it was once. */
const sound = new WeakSet<core.ProjectedVolumeSource>()

function projected(at: Place, source: core.ProjectedVolumeSource): void {
  if (sound.has(source)) return
  const before = at.said
  fileMode(at.at('defaultMode'), source.defaultMode)
  forEach(at.at('sources'), source.sources as readonly core.VolumeProjection[], (one, place) => projection(at, place, one))
  overlapping(at, source.sources as readonly core.VolumeProjection[])
  if (at.said === before && Object.isFrozen(source)) sound.add(source)
}

const filled = ['secret', 'configMap'] as const
const projectionNames = ['secret', 'downwardAPI', 'configMap', 'serviceAccountToken', 'clusterTrustBundle', 'podCertificate'] as const

/** One source. `whole` is the volume, where what is wrong with a token's path stands. */
function projection(whole: Place, at: Place, source: core.VolumeProjection): void {
  for (const name of filled) {
    const part = source[name]
    if (!part) continue
    named(at.at(name).at('name'), part.name)
    if (part.items) forEach(at.at(name).at('items'), part.items, keyToPath)
  }
  if (source.downwardAPI?.items) for (const file of source.downwardAPI.items) downwardFile(at.at('downwardAPI'), file)
  const { serviceAccountToken: token, clusterTrustBundle: bundle, podCertificate: certificate } = source
  if (token) tokenProjection(whole, at.at('serviceAccountToken'), token)
  if (bundle) bundleProjection(at.at('clusterTrustBundle'), bundle)
  if (certificate) certificateProjection(at.at('podCertificate'), certificate)
  let sources = 0
  for (const name of projectionNames) if (source[name] !== undefined) sources++
  if (sources > 1) at.forbidden(`${oneKind} per source`)
}

function tokenProjection(whole: Place, at: Place, token: core.ServiceAccountTokenProjection): void {
  const seconds = token.expirationSeconds ?? 3600
  if (seconds < 600) at.at('expirationSeconds').invalid(seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > 2 ** 32) at.at('expirationSeconds').invalid(seconds, 'may not specify a duration larger than 2^32 seconds')
  named(whole.at('path'), token.path)
  if (token.path) projectedPath(whole.at('path'), token.path)
}

function bundleProjection(at: Place, bundle: core.ClusterTrustBundleProjection): void {
  const { name, signerName: signer, labelSelector, path } = bundle
  if (name !== undefined && signer !== undefined) at.invalid(bundle, 'only one of name and signerName may be used')
  else if (name !== undefined) {
    if (name === '') at.at('name').required('must be a valid object name')
    if (labelSelector) at.at('labelSelector').invalid(labelSelector, 'labelSelector must be unset if name is specified')
  } else if (signer !== undefined) {
    signerName(at.at('signerName'), signer)
    selector(at.at('labelSelector'), labelSelector)
  } else at.required('either name or signerName must be specified')
  named(at.at('path'), path)
  if (path) projectedPath(at.at('path'), path)
}

const certificateFiles = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const
const keyTypes = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096']

function certificateProjection(at: Place, certificate: core.PodCertificateProjection): void {
  signerName(at.at('signerName'), certificate.signerName ?? '')
  oneOfThese(at.at('keyType'), certificate.keyType, keyTypes)
  const seconds = certificate.maxExpirationSeconds
  if (seconds !== undefined && seconds < 3600) at.at('maxExpirationSeconds').invalid(seconds, 'if provided, maxExpirationSeconds must be >= 3600')
  if (seconds !== undefined && seconds > 7862400) at.at('maxExpirationSeconds').invalid(seconds, 'if provided, maxExpirationSeconds must be <= 7862400')
  for (const name of certificateFiles) {
    const path = certificate[name]
    if (path) projectedPath(at.at(name), path)
  }
  if (certificateFiles.every((name) => !certificate[name])) at.required('specify at least one of credentialBundlePath, keyPath, and certificateChainPath')
}

/** Two sources of a projected volume cannot write the same file. */
function overlapping(at: Place, sources: readonly core.VolumeProjection[]): void {
  const taken = new Set<string>()
  const take = (path: string | undefined, shown: string | undefined) => {
    if (!path) return
    if (taken.has(path)) at.invalid(shown, 'conflicting duplicate paths')
    taken.add(path)
  }
  for (const { secret, configMap, downwardAPI, clusterTrustBundle, podCertificate } of sources) {
    if (secret?.items) for (const { path } of secret.items) take(path, secret.name)
    if (configMap?.items) for (const { path } of configMap.items) take(path, configMap.name)
    if (downwardAPI?.items) for (const { path } of downwardAPI.items) take(path, path)
    if (clusterTrustBundle) take(clusterTrustBundle.path, clusterTrustBundle.path)
    if (podCertificate) for (const name of certificateFiles) take(podCertificate[name], podCertificate[name])
  }
}
