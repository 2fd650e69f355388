/** Claims for persistent volumes. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { isQuantity, parseQuantity } from '../../../machinery/quantity.ts'
import type { Strategy } from '../../strategy.ts'
import { readQuantity } from '../amounts.ts'
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
  text('VolumeAttributesClass', 'The class of attributes it asks for.', (o) => o.spec.volumeAttributesClassName ?? '<unset>'),
  ageColumn,
  wide(text('VolumeMode', 'Whether it is for a file system or a block device.', (o) => orUnset(o.spec.volumeMode))),
)

type Spec = core.PersistentVolumeClaimSpec

/** What the older name of a source could always say: a claim, or a snapshot. */
const isOldSource = (source: Spec['dataSource']): boolean =>
  (source?.kind === 'PersistentVolumeClaim' && !source.apiGroup) || (source?.kind === 'VolumeSnapshot' && source.apiGroup === 'snapshot.storage.k8s.io')

/** The old and the new name of where the data comes from say the same; a source in another namespace has only the new one. */
const sameSource = (spec: Spec): Spec => {
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) return { ...spec, dataSourceRef: dataSource }
  if (!dataSourceRef || dataSource || dataSourceRef.namespace) return spec
  const { apiGroup, kind, name } = dataSourceRef
  return { ...spec, dataSource: { ...(apiGroup !== undefined && { apiGroup }), kind, name } }
}

/** Both names, where that cannot be a mistake: other sources under the old name may be left out yet. */
const completedSource = (spec: Spec): Spec => (spec.dataSourceRef || isOldSource(spec.dataSource) ? sameSource(spec) : spec)

/**
 * What Kubernetes passes over, unless the claim has it already (KEP-1495, KEP-3294): a source in another namespace, which is alpha, and one
 * under the old name that is neither claim nor snapshot.
 */
function takenSource(spec: Spec, was: Spec | undefined): Spec {
  let next = spec
  if (next.dataSourceRef?.namespace && !was?.dataSourceRef) next = { ...next, dataSourceRef: undefined }
  if (!was?.dataSource && !was?.dataSourceRef && !next.dataSourceRef && !isOldSource(next.dataSource)) next = { ...next, dataSource: undefined }
  return sameSource(next)
}

const mayChange = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

function specUpdate(next: core.PersistentVolumeClaim, current: core.PersistentVolumeClaim, root: Place): void {
  const at = root.at('spec')
  claimSpec(at, next.spec)
  const bound = current.status.phase === 'Bound'
  const annotated = current.metadata.annotations?.[classAnnotation]
  const [is, was] = [next.spec, current.spec]
  const like: core.PersistentVolumeClaimSpec = {
    ...is,
    volumeName: was.volumeName ? is.volumeName : undefined,
    // A claim that says nothing of its class may be given one; the old annotation says it too.
    ...(was.storageClassName === undefined && (annotated === undefined || is.storageClassName === annotated) && { storageClassName: undefined }),
    ...(bound && is.volumeAttributesClassName !== undefined && { volumeAttributesClassName: was.volumeAttributesClassName }),
    ...(bound && is.resources.requests && { resources: { ...is.resources, requests: { ...is.resources.requests, storage: was.resources.requests?.['storage'] } as never } }),
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

const resizes = ['ControllerResizeInProgress', 'ControllerResizeInfeasible', 'NodeResizeInProgress', 'NodeResizeInfeasible', 'NodeResizePending']

/** A resource that a claim can have an amount of: storage, or one of somebody else's. */
function resourceKey(at: Place, name: string): boolean {
  const problems = qualifiedName(name)
  for (const why of problems) at.invalid(name, why)
  if (problems.length > 0) return false
  const native = !name.includes('/') || name.includes('kubernetes.io/')
  if (native && name !== 'storage') at.notSupported(name, ['storage'])
  return !native || name === 'storage'
}

/** What the resizing and the binding of a claim leave in its status. */
function statusErrors({ status }: core.PersistentVolumeClaim, root: Place): void {
  const at = root.at('status')
  const basic = (place: Place, text: string): void => {
    const quantity = readQuantity(text)
    if (quantity && quantity.value() < 0n) place.invalid(Number(quantity.value()), 'must be a valid resource quantity')
  }
  for (const [name, text] of Object.entries(status.capacity ?? {})) basic(at.at('capacity').key(name), text)
  for (const [name, value] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    resourceKey(at.at('allocatedResourceStatus'), name)
    if (!resizes.includes(value)) at.at('allocatedResourceStatus').notSupported(name, resizes)
  }
  for (const [name, text] of Object.entries(status.allocatedResources ?? {})) {
    if (resourceKey(at.at('allocatedResources'), name)) basic(at.at('allocatedResources').key(name), text)
  }
}

/** Parts of a byte, and the annotation that was there before the field. */
function warnings({ metadata, spec }: core.PersistentVolumeClaim): readonly string[] {
  const texts = metadata.annotations?.[classAnnotation] === undefined ? [] : [`metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`]
  for (const part of ['requests', 'limits'] as const) {
    const amount = readQuantity(spec.resources[part]?.['storage'])
    if (amount && amount.nanos % 1_000_000_000n !== 0n) texts.push(`spec.resources.${part}[storage]: fractional byte value ${JSON.stringify(amount.toString())} is invalid, must be an integer`)
  }
  return texts
}

export const persistentvolumeclaims: Strategy<core.PersistentVolumeClaim> = {
  counted: false,
  default: (claim) => within(claimDefaults(claim), 'spec', completedSource),
  prepareForCreate: (claim) => ({ ...claim, spec: takenSource(claim.spec, undefined), status: { phase: 'Pending' } }),
  prepareForUpdate: (next, current) => ({ ...next, spec: takenSource(next.spec, current.spec) }),
  validate: (claim, root) => claimSpec(root.at('spec'), claim.spec),
  validateUpdate,
  validateStatusUpdate: (next, _current, root) => statusErrors(next, root),
  warnings,
  printer: claimPrinter,
}
