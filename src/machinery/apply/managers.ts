/** The entries of `managedFields`: who owns what. */
import type { meta } from '../../api/index.ts'
import { ApiError } from '../errors.ts'
import { rfc3339 } from '../time.ts'
import { emptySet, fromFieldsV1, isEmptySet, pathsOf, pathText, recursiveDifference, sameSet, setOfPaths, toFieldsV1, union, type FieldSet } from './fieldset.ts'

type Fields = NonNullable<meta.ManagedFieldsEntry['fieldsV1']>

/** One owner. Two entries of one manager are told apart by operation, subresource and, for updates, by version. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: FieldSet
  /** The entry as it was read, while nothing in it has changed. */
  readonly entry?: meta.ManagedFieldsEntry
  /** The fields as they are written, where they are known: writing them anew costs more than all else. */
  readonly written?: Fields | undefined
}

export const sameManager = (a: Manager, b: Manager): boolean =>
  a.name === b.name && a.operation === b.operation && a.subresource === b.subresource && (a.operation === 'Apply' || a.apiVersion === b.apiVersion)

/** What no manager owns: the server decides about it. */
const serverFields = setOfPaths([
  ['f:apiVersion'], ['f:kind'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map((name) => ['f:metadata', `f:${name}`]),
])

/** A set without the fields that nobody owns, and without those in `ignored`. */
export function ownable(set: FieldSet, ignored: FieldSet = emptySet): FieldSet {
  const rest = recursiveDifference(recursiveDifference(set, serverFields), ignored)
  const metadata = rest.children.get('f:metadata')
  if (!metadata?.self) return rest
  const children = new Map(rest.children)
  if (metadata.children.size === 0) children.delete('f:metadata')
  else children.set('f:metadata', { self: false, children: metadata.children })
  return { self: rest.self, children }
}

/** Reads the entries of an object; those that are of no known form are left out. */
export function readManagers(entries: readonly meta.ManagedFieldsEntry[] | undefined): Manager[] {
  const managers: Manager[] = []
  for (const entry of entries ?? []) {
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') continue
    if (entry.fieldsType !== undefined && entry.fieldsType !== 'FieldsV1') continue
    managers.push({
      name: entry.manager ?? '', operation: entry.operation, apiVersion: entry.apiVersion ?? '', subresource: entry.subresource ?? '',
      time: entry.time ?? undefined, fields: fromFieldsV1(entry.fieldsV1), entry,
    })
  }
  return managers
}

const inOrder = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
const order = (a: Manager, b: Manager): number =>
  inOrder(a.operation, b.operation) || inOrder(a.time ?? '', b.time ?? '') || inOrder(a.name, b.name) || inOrder(a.apiVersion, b.apiVersion) || inOrder(a.subresource, b.subresource)

/** Writes the entries: appliers first, then by time. Managers that own nothing are left out. */
export function writeManagers(managers: readonly Manager[]): meta.ManagedFieldsEntry[] {
  return managers.filter((m) => !isEmptySet(m.fields)).sort(order).map((m) => m.entry ?? entryOf(m, m.written ?? toFieldsV1(m.fields)))
}

/** The entry of a manager, with its fields as they are written. */
export const entryOf = ({ name, operation, apiVersion, time, subresource }: Omit<Manager, 'fields'>, fieldsV1: Fields): meta.ManagedFieldsEntry => ({
  ...(name ? { manager: name } : {}),
  operation,
  ...(apiVersion ? { apiVersion } : {}),
  ...(time ? { time } : {}),
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...(subresource ? { subresource } : {}),
})

/** The manager with other fields; the same one when they are no others. */
export function withFields(manager: Manager, fields: FieldSet, now?: number): Manager {
  const same = fields === manager.fields || sameSet(fields, manager.fields)
  if (same && now === undefined) return manager
  const { entry, written, ...rest } = manager
  return { ...rest, fields, time: now === undefined ? manager.time : rfc3339(now), written: same ? (entry?.fieldsV1 ?? written) : undefined }
}

const mostUpdaters = 10
const ancient = 'ancient-changes'

/** Keeps at most ten managers that update: the oldest of one version are joined to one that is called `ancient-changes`. */
export function capUpdaters(managers: readonly Manager[]): readonly Manager[] {
  let count = 0
  for (const { operation } of managers) if (operation === 'Update') count++
  if (count <= mostUpdaters) return managers
  let kept = managers
  const oldest = new Map<string, Manager>()
  for (const updater of managers.filter((m) => m.operation === 'Update').sort(order)) {
    if (count <= mostUpdaters) break
    const first = oldest.get(updater.apiVersion)
    if (first) {
      const { entry: _, written: _w, ...rest } = updater
      const joined = { ...rest, name: ancient, subresource: '', fields: union(first.fields, updater.fields) }
      kept = [...kept.filter((m) => m !== first && m !== updater), joined]
      oldest.set(updater.apiVersion, joined)
      count--
    } else oldest.set(updater.apiVersion, updater)
  }
  return kept
}

export interface Conflict { readonly manager: Manager; readonly path: readonly string[] }

function shown(manager: Manager): string {
  const name = JSON.stringify(manager.name) + (manager.subresource ? ` with subresource ${JSON.stringify(manager.subresource)}` : '')
  return manager.operation === 'Update' ? `${name} using ${manager.apiVersion}` : name
}

/** Every path of a manager's set, as a conflict with that manager. */
export const conflictsOf = (manager: Manager, set: FieldSet): Conflict[] => [...pathsOf(set)].map((path) => ({ manager, path }))

/** 409, with the message and the causes that kubectl shows when fields have other owners. */
export function applyConflict(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${shown(manager)}`, field: pathText(path) }))
  if (conflicts.length === 1) {
    const [{ manager, path }] = conflicts as [Conflict]
    return new ApiError(409, 'Conflict', `Apply failed with 1 conflict: conflict with ${shown(manager)}: ${pathText(path)}`, { causes })
  }
  const groups = Map.groupBy(conflicts, ({ manager }) => shown(manager))
  const text = [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([manager, of]) => `conflicts with ${manager}:\n${of.map(({ path }) => `- ${pathText(path)}`).join('\n')}`).join('\n')
  return new ApiError(409, 'Conflict', `Apply failed with ${conflicts.length} conflicts: ${text}`, { causes })
}
