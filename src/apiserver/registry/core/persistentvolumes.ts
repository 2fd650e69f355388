/** Persistent volumes. */
import { core } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../machinery/quantity.ts'
import { rfc3339 } from '../../../machinery/time.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, ifThere, named, oneOfThese, unchanged } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { differences } from '../differences.ts'
import { ageColumn, nameColumn, orUnset, printer, text, wide } from '../printing.ts'
import { modes, volumeModes } from './validation/claims.ts'
import { noClimbing, absolutePath } from './validation/paths.ts'
import { azureDisk, csiPersistent, fc, flexOptions, flocker, iscsi, monitors, partition, quobyte, secretWithNamespace, sourcePath, storageos } from './validation/volume-sources.ts'
import { nodeSelector } from './validation/scheduling.ts'
import { hostPath, requiredTexts } from './validation/volumes.ts'
import { nodeTermWarnings } from './node-labels.ts'
import { classAnnotation, modesText } from './volume-text.ts'

const volumePrinter = printer<core.PersistentVolume>(
  nameColumn,
  text('Capacity', 'How much it holds.', (o) => o.spec.capacity?.['storage'] ?? '0'),
  text('Access Modes', 'How it can be mounted.', (o) => modesText(o.spec.accessModes)),
  text('Reclaim Policy', 'What becomes of it when its claim is gone.', (o) => o.spec.persistentVolumeReclaimPolicy ?? ''),
  text('Status', 'Whether it is bound.', (o) => (o.metadata.deletionTimestamp ? 'Terminating' : (o.status.phase ?? ''))),
  text('Claim', 'The claim it is bound to.', (o) => (o.spec.claimRef ? `${o.spec.claimRef.namespace ?? ''}/${o.spec.claimRef.name ?? ''}` : '')),
  text('StorageClass', 'The class it belongs to.', (o) => o.metadata.annotations?.[classAnnotation] ?? o.spec.storageClassName ?? ''),
  text('VolumeAttributesClass', 'The class of its attributes.', (o) => o.spec.volumeAttributesClassName ?? '<unset>'),
  text('Reason', 'Why it is in its present state, in one word.', (o) => o.status.reason ?? ''),
  ageColumn,
  wide(text('VolumeMode', 'Whether it is a file system or a block device.', (o) => orUnset(o.spec.volumeMode))),
)

/** The order in which sources are looked for: the first that is there is the volume's, the others are refused. */
const sources: readonly (keyof core.PersistentVolumeSource)[] = [
  'hostPath', 'gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'flocker', 'nfs', 'rbd', 'quobyte', 'cephfs', 'iscsi', 'cinder', 'fc', 'flexVolume',
  'azureFile', 'vsphereVolume', 'photonPersistentDisk', 'portworxVolume', 'azureDisk', 'scaleIO', 'local', 'storageos', 'csi',
]
const sourcesOf = (spec: core.PersistentVolumeSpec) => sources.filter((name) => spec[name] !== undefined)

const withDefaults = (volume: core.PersistentVolume): core.PersistentVolume => {
  const specified = within(volume, 'spec', (spec) => {
    const next = orDefault(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })
    return within(next, 'hostPath', (source) => orDefault(source, { type: '' }))
  })
  return within(specified, 'status', (status) => orDefault(status, { phase: 'Pending' }))
}

function validate(volume: core.PersistentVolume, root: Place): void {
  const at = root.at('spec')
  const { spec } = volume
  modes(at.at('accessModes'), spec.accessModes, '')
  capacity(spec, root)
  const [first, ...more] = sourcesOf(spec)
  if (!first) at.required('must specify a volume type')
  for (const name of more) at.at(name).forbidden('may not specify more than 1 volume type')
  if (first) ofSource(at.at(sourcePath[first] ?? first), first, volume, root)
  if (spec.hostPath) {
    if (/^\/+$/.test(spec.hostPath.path) && spec.persistentVolumeReclaimPolicy === 'Recycle') {
      at.at('persistentVolumeReclaimPolicy').forbidden("may not be 'recycle' for a hostPath mount of '/'")
    }
  }
  oneOfThese(at.at('persistentVolumeReclaimPolicy'), spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'])
  if (spec.storageClassName) follows(at.at('storageClassName'), spec.storageClassName, dns1123Subdomain)
  ifThere(at.at('volumeMode'), spec.volumeMode, volumeModes)
  attributes(at, spec)
  if (spec.nodeAffinity?.required) nodeSelector(at.at('nodeAffinity').at('required'), spec.nodeAffinity.required)
  else if (spec.nodeAffinity) at.at('nodeAffinity').at('required').required('must specify required node constraints')
}

type Sources = { readonly [K in keyof core.PersistentVolumeSource]-?: (at: Place, source: NonNullable<core.PersistentVolumeSource[K]>, volume: core.PersistentVolume, root: Place) => void }

/** What kinds of sources need beyond their required texts. */
const special: Partial<Sources> = {
  hostPath: (at, source) => hostPath(at, source),
  local: (at, source, { spec }, root) => {
    if (source.path) noClimbing(at.at('path'), source.path)
    if (!spec.nodeAffinity) root.at('spec').at('nodeAffinity').required('Local volume requires node affinity')
  },
  nfs: (at, source) => absolutePath(at.at('path'), source.path),
  csi: csiPersistent,
  gcePersistentDisk: partition,
  awsElasticBlockStore: partition,
  iscsi: (at, source, { metadata }) => {
    iscsi(at, source)
    if (source.secretRef) named(at.at('secretRef').at('name'), source.secretRef.name)
    if (source.initiatorName !== undefined && `${metadata.name}:${source.targetPortal}`.length > 64) {
      at.at('targetportal').invalid(source.targetPortal, 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.')
    }
  },
  fc, flocker, quobyte, azureDisk,
  scaleIO: (at, { volumeName }) => named(at.at('volumeName'), volumeName),
  rbd: monitors,
  cephfs: monitors,
  flexVolume: flexOptions,
  cinder: (at, { secretRef }) => secretWithNamespace(at.at('secretRef'), secretRef),
  storageos: (at, source) => {
    storageos(at, source)
    if (source.secretRef) named(at.at('secretRef').at('namespace'), source.secretRef.namespace)
  },
  azureFile: (at, { secretNamespace }) => {
    if (secretNamespace === '') at.at('secretNamespace').required()
  },
  glusterfs: (at, { endpointsNamespace: name }) => {
    const place = at.at('endpointsNamespace')
    if (name === '') place.invalid(name, 'if the endpointnamespace is set, it must be a valid namespace name')
    else if (name !== undefined) follows(place, name, dns1123Label)
  },
}

function ofSource<K extends keyof core.PersistentVolumeSource>(at: Place, kind: K, volume: core.PersistentVolume, root: Place): void {
  const part = volume.spec[kind] as NonNullable<core.PersistentVolumeSource[K]>
  const more = special[kind] as ((at: Place, source: NonNullable<core.PersistentVolumeSource[K]>, volume: core.PersistentVolume, root: Place) => void) | undefined
  requiredTexts(at, core.PersistentVolumeSource.fields, kind, part)
  if (more) more(at, part, volume, root)
}

/** The class of a volume's attributes, which only CSI drivers know. */
function attributes(at: Place, { volumeAttributesClassName: name, csi }: core.PersistentVolumeSpec): void {
  if (name === undefined) return
  if (name === '') at.at('volumeAttributesClassName').required('an empty string is disallowed')
  else follows(at.at('volumeAttributesClassName'), name, dns1123Subdomain)
  if (!csi) at.at('csi').required('has to be specified when using volumeAttributesClassName')
}

function capacity(spec: core.PersistentVolumeSpec, root: Place): void {
  const at = root.at('spec').at('capacity')
  const amounts = Object.entries(spec.capacity ?? {})
  if (amounts.length === 0) at.required()
  if (spec.capacity?.['storage'] === undefined || amounts.length > 1) at.notSupported(spec.capacity ?? {}, ['storage'])
  for (const [name, value] of amounts) {
    if (isQuantity(value) && parseQuantity(value).nanos < 0n) at.key(name).invalid(Number(parseQuantity(value).nanos / 1_000_000_000n), 'must be a valid resource quantity')
    if (!isQuantity(value) || parseQuantity(value).nanos <= 0n) at.key(name).invalid(value, 'must be greater than zero')
  }
}

/** What a volume is and where it is reached from stays. */
function validateUpdate(next: core.PersistentVolume, current: core.PersistentVolume, root: Place): void {
  const at = root.at('spec')
  // A secret for growing the volume can be given later.
  const given = current.spec.csi && !current.spec.csi.controllerExpandSecretRef && next.spec.csi
  const sourceOf = ({ spec }: core.PersistentVolume) => Object.fromEntries(sourcesOf(spec).map((name) => {
    const part = spec[name]
    return [name, given && name === 'csi' ? { ...part, controllerExpandSecretRef: undefined } : part]
  }))
  validate(next, root)
  if (!deepEqual(sourceOf(next), sourceOf(current))) {
    at.at('persistentvolumesource').forbidden(`spec.persistentvolumesource is immutable after creation\n${differences(sourceOf(current), sourceOf(next))}`)
  }
  unchanged(root.at('volumeMode'), next.spec.volumeMode, current.spec.volumeMode)
  if (current.spec.nodeAffinity) unchanged(root.at('nodeAffinity'), next.spec.nodeAffinity, current.spec.nodeAffinity, 'field is immutable, except for updating from beta label to GA')
  if (current.spec.volumeAttributesClassName !== undefined && next.spec.volumeAttributesClassName === undefined) {
    at.at('volumeAttributesClassName').forbidden('update from non-nil value to nil is forbidden')
  }
}

/** The volume with the time at which it came to its phase; whoever writes the phase may say another. */
function timed(next: core.PersistentVolume, current: core.PersistentVolume | undefined, now: number): core.PersistentVolume {
  const was = current?.status
  const said = next.status.lastPhaseTransitionTime
  if (was && (next.status.phase === was.phase || (said !== undefined && said !== was.lastPhaseTransitionTime))) return next
  return { ...next, status: { ...next.status, lastPhaseTransitionTime: rfc3339(now) } }
}

/** Since when sources are old, and do nothing. */
const old: Partial<Record<keyof core.PersistentVolumeSource, string>> = {
  cephfs: 'deprecated in v1.28, non-functional in v1.31+', photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+', scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+', glusterfs: 'deprecated in v1.25, non-functional in v1.26+', rbd: 'deprecated in v1.28, non-functional in v1.31+',
}
const recycling = 'The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'

/** What is old about a volume. */
function warnings({ metadata, spec }: core.PersistentVolume): readonly string[] {
  const at = path('spec')
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
  return [
    ...(metadata.annotations?.[classAnnotation] === undefined ? [] : [`metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle' ? [`spec.persistentVolumeReclaimPolicy: ${recycling}`] : []),
    ...terms.flatMap((term, i) => nodeTermWarnings(at.at('nodeAffinity').at('required').at('nodeSelectorTerms').index(i), term)),
    ...sourcesOf(spec).flatMap((name) => (old[name] ? [`${at.at(name === 'storageos' ? 'storageOS' : name)}: ${old[name]}`] : [])),
  ]
}

export const persistentvolumes: Strategy<core.PersistentVolume> = {
  counted: false,
  default: withDefaults,
  prepareForCreate: (volume, { now }) => timed({ ...volume, status: { phase: 'Pending' } }, undefined, now),
  prepareForStatusUpdate: (next, current, { now }) => timed({ ...current, metadata: { ...next.metadata, ownerReferences: current.metadata.ownerReferences }, status: next.status }, current, now),
  validate,
  validateUpdate,
  warnings,
  printer: volumePrinter,
}
