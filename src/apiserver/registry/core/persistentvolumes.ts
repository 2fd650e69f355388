/** Persistent volumes. */
import { core } from '../../../api/index.ts'
import { path, type FieldError } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../machinery/quantity.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, ifThere, oneOfThese, unchanged, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { differences } from '../differences.ts'
import { ageColumn, nameColumn, orUnset, printer, text, wide } from '../printing.ts'
import { modes, volumeModes } from './validation/claims.ts'
import { absolutePath, noClimbing } from './validation/paths.ts'
import { nodeSelector } from './validation/scheduling.ts'
import { hostPath } from './validation/volumes.ts'
import { classAnnotation, modesText } from './volume-text.ts'

const volumePrinter = printer<core.PersistentVolume>(
  nameColumn,
  text('Capacity', 'How much it holds.', (o) => o.spec.capacity?.['storage'] ?? '0'),
  text('Access Modes', 'How it can be mounted.', (o) => modesText(o.spec.accessModes)),
  text('Reclaim Policy', 'What becomes of it when its claim is gone.', (o) => o.spec.persistentVolumeReclaimPolicy ?? ''),
  text('Status', 'Whether it is bound.', (o) => (o.metadata.deletionTimestamp ? 'Terminating' : (o.status.phase ?? ''))),
  text('Claim', 'The claim it is bound to.', (o) => (o.spec.claimRef ? `${o.spec.claimRef.namespace ?? ''}/${o.spec.claimRef.name ?? ''}` : '')),
  text('StorageClass', 'The class it belongs to.', (o) => o.metadata.annotations?.[classAnnotation] ?? o.spec.storageClassName ?? ''),
  text('VolumeAttributesClass', 'The class of its attributes.', (o) => orUnset(o.spec.volumeAttributesClassName)),
  text('Reason', 'Why it is in its present state, in one word.', (o) => o.status.reason ?? ''),
  ageColumn,
  wide(text('VolumeMode', 'Whether it is a file system or a block device.', (o) => orUnset(o.spec.volumeMode))),
)

const sources = Object.keys(core.PersistentVolumeSource.fields) as (keyof core.PersistentVolumeSource)[]
const sourcesOf = (spec: core.PersistentVolumeSpec) => sources.filter((name) => spec[name] !== undefined)

const withDefaults = (volume: core.PersistentVolume): core.PersistentVolume => {
  const specified = within(volume, 'spec', (spec) => {
    const next = orDefault(spec, { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' })
    return within(next, 'hostPath', (source) => orDefault(source, { type: '' }))
  })
  return within(specified, 'status', (status) => orDefault(status, { phase: 'Pending' }))
}

function* validate(volume: core.PersistentVolume): Check {
  const at = path('spec')
  const { spec } = volume
  yield* modes(at.at('accessModes'), spec.accessModes)
  yield* capacity(spec)
  const [first, ...more] = sourcesOf(spec)
  if (!first) yield at.required('must specify a volume type')
  for (const name of more) yield at.at(name).forbidden('may not specify more than 1 volume type')
  if (spec.hostPath) {
    if (!spec.hostPath.path) yield at.at('hostPath').at('path').required()
    yield* hostPath(at.at('hostPath'), spec.hostPath)
    if (spec.hostPath.path.replace(/\/+$/, '') === '' && spec.persistentVolumeReclaimPolicy === 'Recycle') {
      yield at.at('persistentVolumeReclaimPolicy').forbidden("may not be 'recycle' for a hostPath mount of '/'")
    }
  }
  yield* ofSource(volume)
  yield* oneOfThese(at.at('persistentVolumeReclaimPolicy'), spec.persistentVolumeReclaimPolicy, ['Delete', 'Recycle', 'Retain'])
  if (spec.storageClassName) yield* follows(at.at('storageClassName'), spec.storageClassName, dns1123Subdomain)
  yield* ifThere(at.at('volumeMode'), spec.volumeMode, volumeModes)
  if (spec.nodeAffinity?.required) yield* nodeSelector(at.at('nodeAffinity').at('required'), spec.nodeAffinity.required)
  else if (spec.nodeAffinity) yield at.at('nodeAffinity').at('required').required('must specify required node constraints')
}

function* ofSource({ spec }: core.PersistentVolume): Check {
  const at = path('spec')
  if (spec.local) {
    if (!spec.local.path) yield at.at('local').at('path').required()
    yield* noClimbing(at.at('local').at('path'), spec.local.path)
    if (!spec.nodeAffinity?.required) yield at.at('nodeAffinity').required('Local volume requires node affinity')
  }
  if (spec.nfs) {
    if (!spec.nfs.server) yield at.at('nfs').at('server').required()
    if (!spec.nfs.path) yield at.at('nfs').at('path').required()
    else yield* absolutePath(at.at('nfs').at('path'), spec.nfs.path)
  }
  if (spec.csi) {
    if (!spec.csi.driver) yield at.at('csi').at('driver').required()
    if (!spec.csi.volumeHandle) yield at.at('csi').at('volumeHandle').required()
  }
}

function* capacity(spec: core.PersistentVolumeSpec): Check {
  const at = path('spec').at('capacity')
  const { storage, ...others } = spec.capacity ?? {}
  if (storage === undefined || Object.keys(others).length > 0) {
    yield storage === undefined && Object.keys(others).length === 0 ? at.required() : at.notSupported(spec.capacity, ['storage'])
  }
  if (storage !== undefined && (!isQuantity(storage) || parseQuantity(storage).nanos <= 0n)) yield at.key('storage').invalid(storage, 'must be greater than zero')
}

/** What a volume is and where it is reached from stays. */
function validateUpdate(next: core.PersistentVolume, current: core.PersistentVolume): FieldError[] {
  const at = path('spec')
  const sourceOf = ({ spec }: core.PersistentVolume) => Object.fromEntries(sourcesOf(spec).map((name) => [name, spec[name]]))
  const changed = deepEqual(sourceOf(next), sourceOf(current)) ? []
    : [at.at('persistentvolumesource').forbidden(`spec.persistentvolumesource is immutable after creation\n${differences(sourceOf(current), sourceOf(next))}`)]
  return [
    ...validate(next),
    ...changed,
    ...unchanged(at.at('volumeMode'), next.spec.volumeMode, current.spec.volumeMode),
    ...(current.spec.nodeAffinity ? unchanged(at.at('nodeAffinity'), next.spec.nodeAffinity, current.spec.nodeAffinity) : []),
  ]
}

export const persistentvolumes: Strategy<core.PersistentVolume> = {
  counted: false,
  default: withDefaults,
  prepareForCreate: (volume) => ({ ...volume, status: { phase: 'Pending' } }),
  validate: (volume) => [...validate(volume)],
  validateUpdate,
  printer: volumePrinter,
}
