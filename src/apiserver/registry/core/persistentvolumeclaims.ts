/** Claims for persistent volumes. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { isQuantity, parseQuantity } from '../../../machinery/quantity.ts'
import type { Strategy } from '../../strategy.ts'
import { unchanged } from '../checks.ts'
import { differences } from '../differences.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, orUnset, printer, text, wide } from '../printing.ts'
import { claimDefaults } from './claim-defaults.ts'
import { claimSpec } from './validation/claims.ts'
import { classAnnotation, modesText } from './volume-text.ts'

const claimPrinter = printer<core.PersistentVolumeClaim>(
  nameColumn,
  text('Status', 'Whether it is bound.', (o) => (o.metadata.deletionTimestamp ? 'Terminating' : (o.status.phase ?? ''))),
  text('Volume', 'The volume it is bound to.', (o) => o.spec.volumeName ?? ''),
  text('Capacity', 'How much the volume holds.', (o) => (o.spec.volumeName ? (o.status.capacity?.['storage'] ?? '0') : '')),
  text('Access Modes', 'How the volume can be mounted.', (o) => (o.spec.volumeName ? modesText(o.status.accessModes) : '')),
  text('StorageClass', 'The class it asks for.', (o) => o.metadata.annotations?.[classAnnotation] ?? o.spec.storageClassName ?? ''),
  text('VolumeAttributesClass', 'The class of attributes it asks for.', (o) => orUnset(o.spec.volumeAttributesClassName)),
  ageColumn,
  wide(text('VolumeMode', 'Whether it is for a file system or a block device.', (o) => orUnset(o.spec.volumeMode))),
)

/** The old and the new name of where the data comes from say the same; a source in another namespace has only the new one. */
const sameSource = (spec: core.PersistentVolumeClaimSpec): core.PersistentVolumeClaimSpec => {
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) return { ...spec, dataSourceRef: dataSource }
  if (!dataSourceRef || dataSource || dataSourceRef.namespace) return spec
  const { apiGroup, kind, name } = dataSourceRef
  return { ...spec, dataSource: { ...(apiGroup !== undefined && { apiGroup }), kind, name } }
}

const mayChange = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

function specUpdate(next: core.PersistentVolumeClaim, current: core.PersistentVolumeClaim, root: Place): void {
  const at = root.at('spec')
  claimSpec(at, next.spec)
  const bound = current.status.phase === 'Bound'
  const [is, was] = [next.spec, current.spec]
  const like: core.PersistentVolumeClaimSpec = {
    ...is,
    volumeName: was.volumeName ? is.volumeName : undefined,
    // A claim without a class may be given one as long as it is not bound.
    ...(!was.storageClassName && !was.volumeName && { storageClassName: was.storageClassName }),
    ...(bound && { volumeAttributesClassName: was.volumeAttributesClassName, resources: { ...is.resources, requests: was.resources.requests } }),
  }
  const before = { ...was, volumeName: was.volumeName ? was.volumeName : undefined }
  if (!deepEqual(like, before)) at.forbidden(`${mayChange}\n${differences(before, like)}`)
  shrinking(next, current, root)
  unchanged(root.at('volumeMode'), is.volumeMode, was.volumeMode)
  classes(next, current, root)
}

/** A bound volume grows; it can be asked to grow less, but not to be smaller than it is. */
function shrinking(next: core.PersistentVolumeClaim, current: core.PersistentVolumeClaim, root: Place): void {
  const at = root.at('spec').at('resources').at('requests').at('storage')
  const amount = (text: string | undefined) => (text !== undefined && isQuantity(text) ? parseQuantity(text) : undefined)
  const [wanted, was, has] = [amount(next.spec.resources.requests?.['storage']), amount(current.spec.resources.requests?.['storage']), amount(current.status.capacity?.['storage'])]
  if (!wanted || !was || wanted.compare(was) >= 0) return
  if (has ? wanted.compare(has) <= 0 : wanted.nanos <= 0n) at.forbidden('field can not be less than status.capacity')
}

/** The class that an old annotation names stays; one of attributes can be another, but not none. */
function classes(next: core.PersistentVolumeClaim, current: core.PersistentVolumeClaim, root: Place): void {
  const annotation = (claim: core.PersistentVolumeClaim) => claim.metadata.annotations?.[classAnnotation]
  const was = annotation(current)
  const moved = was !== undefined && current.spec.storageClassName === undefined && next.spec.storageClassName === was && (annotation(next) ?? was) === was
  if (!moved) unchanged(root.at('metadata').at('annotations').at(classAnnotation), annotation(next) ?? '', was ?? '')
  const attributes = root.at('spec').at('volumeAttributesClassName')
  if (current.spec.volumeAttributesClassName === undefined) return
  if (next.spec.volumeAttributesClassName === undefined) attributes.forbidden('update from non-nil value to nil is forbidden')
  else if (next.spec.volumeAttributesClassName === '') attributes.forbidden('update from non-nil value to an empty string is forbidden')
}

function validateUpdate(next: core.PersistentVolumeClaim, current: core.PersistentVolumeClaim, root: Place): void {
  specUpdate(next, current, root)
}

export const persistentvolumeclaims: Strategy<core.PersistentVolumeClaim> = {
  counted: false,
  default: (claim) => within(claimDefaults(claim), 'spec', sameSource),
  prepareForCreate: (claim) => ({ ...claim, status: { phase: 'Pending' } }),
  validate: (claim, root) => claimSpec(root.at('spec'), claim.spec),
  validateUpdate,
  printer: claimPrinter,
}
