/**
 * Server-side apply: every manager owns the fields it stated, and only those
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/). Works from the list types and keys of the schema,
 * so a custom resource's schema works as a built-in one does.
 */
import type { meta } from '../api/index.ts'
import type { StructType } from '../api/schema.ts'
import { compare, fieldsOf, isSame, withNamedFields, type Comparison } from './apply/compare.ts'
import { readConfig } from './apply/config.ts'
import { createdFields } from './apply/created.ts'
import { difference, emptySet, intersection, isEmptySet, sameSet, setOfPaths, toFieldsV1, union, type FieldSet } from './apply/fieldset.ts'
import { applyConflict, capUpdaters, conflictsOf, entryOf, ownable, readManagers, sameManager, withFields, writeManagers, type Conflict, type Manager } from './apply/managers.ts'
import { merge, removeFields, withStatedMaps } from './apply/merge.ts'
import { decodeObject } from './json.ts'
import { parseJson } from './json/parse.ts'
import { isApiError } from './errors.ts'
import { deepEqual } from './meta.ts'
import { rfc3339 } from './time.ts'
import { zeroOf } from './zero.ts'

interface Managed { readonly apiVersion?: string; readonly metadata: meta.ObjectMeta }

export interface ApplyOptions {
  /** The `fieldManager` of the request. */
  readonly manager: string
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Take fields that others own. */
  readonly force?: boolean
  readonly subresource?: string
  /** Fields that this endpoint does not write, and that nobody comes to own through it: `[['status']]`. */
  readonly ignore?: readonly (readonly string[])[]
  /** How the change looks in the versions that other owners wrote in, where versions differ by more than their name. */
  readonly elsewhere?: Elsewhere | undefined
}

type WriteOptions = Pick<ApplyOptions, 'manager' | 'now' | 'subresource' | 'elsewhere'>

/** By apiVersion. */
export type Elsewhere = ReadonlyMap<string, Comparison>

const withoutEntries = <T>(object: T): T => {
  const { metadata } = object as T & Managed
  if (!metadata?.managedFields) return object
  const { managedFields: _, ...others } = metadata
  return { ...object, metadata: others } as T
}

/** The object with these managers; the same one when they are the ones it has. They stand last in metadata, as in the schema. */
function withManagers<T>(object: T, managers: readonly Manager[]): T {
  const { metadata } = object as Managed
  const managedFields = writeManagers(capUpdaters(managers))
  if (deepEqual(managedFields, metadata?.managedFields ?? [])) return object
  if (managedFields.length === 0) return withoutEntries(object)
  return { ...object, metadata: { ...metadata, managedFields } } as T
}

/** What an object that does not exist yet is compared with. */
const nothing = <T>(type: StructType<T>): T => zeroOf(type) as T

/**
 * Applies a configuration to the object as it is (undefined: it does not exist yet). Gives the new object back, with its
 * `managedFields`; defaulting, admission and validation come after that. When nothing changes, it equals `live`.
 * Throws `ApiError` 409 with the owners of the fields it may not take, 400 when the configuration does not fit the schema.
 */
export function applyConfiguration<T>(type: StructType<T>, live: T | undefined, config: unknown, options: ApplyOptions): T {
  const { manager: name, now, force = false, subresource = '' } = options
  const ignored = setOfPaths((options.ignore ?? []).map((path) => path.map((part) => `f:${part}`)))
  const wanted = readConfig(type, config)
  const old = withoutEntries(live ?? nothing(type))
  const apiVersion = (wanted.apiVersion as string | undefined) ?? (old as Managed).apiVersion ?? ''
  const managers = live === undefined ? [] : knownManagers(type, live, now)

  const stated: Manager = { name, operation: 'Apply', apiVersion, subresource, time: subresource === 'scale' ? undefined : rfc3339(now), fields: ownable(fieldsOf(type, wanted), ignored) }
  const last = managers.find((m) => sameManager(m, stated))
  const others = managers.filter((m) => m !== last)
  const merged = merge(type, old, wanted)
  const removed = last ? removeFields(type, merged, abandoned(type, merged, last.fields, [stated, ...others])) : merged
  // What was emptied is gone, unless it is stated: a map of nothing is one.
  const pruned = removed === merged ? merged : withStatedMaps(type, removed, wanted)
  const object = withoutEntries(decodeObject(type, pruned ?? {}).object)

  // A field may be stated that no object keeps: a false, a zero, a null. It takes the field from others all the same.
  const changes = compare(type, old, withoutEntries(pruned ?? {}))
  const left = disown(others, changes, options.elsewhere, force ? undefined : (conflicts) => refuse(type, old, name, conflicts))
  // Times are those of changes: who only comes to own what is there already has none.
  const self = isSame(changes) ? { ...stated, time: last?.time } : stated
  const unchanged = last && sameSet(last.fields, self.fields) && last.apiVersion === apiVersion && (isSame(changes) || isSame(compare(type, old, object)))
  return withManagers(object, [...left, unchanged ? last : self])
}

/** The managers of an object. What was never tracked belongs to `before-first-apply`, so that an apply conflicts with it. */
function knownManagers<T>(type: StructType<T>, live: T, now: number): readonly Manager[] {
  const { metadata, apiVersion = '' } = live as Managed
  const managers = readManagers(metadata.managedFields)
  if (managers.length > 0) return managers
  const { added, modified } = compare(type, nothing(type), withoutEntries(live))
  const fields = ownable(union(added, modified))
  return isEmptySet(fields) ? [] : [{ name: 'before-first-apply', operation: 'Update', apiVersion, subresource: '', time: rfc3339(now), fields }]
}

/** What the manager applied the last time, and neither it nor anybody else wants now. */
function abandoned<T>(type: StructType<T>, merged: unknown, last: FieldSet, managers: readonly Manager[]): FieldSet {
  const had = withNamedFields(type, last)
  const owned = withNamedFields(type, managers.reduce((set, m) => union(set, m.fields), emptySet))
  const there = withNamedFields(type, fieldsOf(type, merged))
  // What led to those fields stays: others may have put something there, a name for one, that nobody owns.
  return intersection(difference(intersection(had, there), owned), last)
}

/**
 * Takes from the managers what somebody else has changed or removed. `refuse` is asked first when fields that they own
 * were changed: it throws, or lets it pass.
 */
function disown(managers: readonly Manager[], changes: Comparison, elsewhere: Elsewhere | undefined, refuse?: (conflicts: readonly Conflict[]) => void): Manager[] {
  const written = union(changes.modified, changes.added)
  const seenBy = (m: Manager) => {
    const other = elsewhere?.get(m.apiVersion)
    return other ? { written: union(other.modified, other.added), removed: other.removed } : { written, removed: changes.removed }
  }
  if (refuse) {
    const conflicts = managers.flatMap((m) => conflictsOf(m, intersection(m.fields, seenBy(m).written)))
    if (conflicts.length > 0) refuse(conflicts)
  }
  return managers.map((m) => {
    const seen = seenBy(m)
    return withFields(m, difference(difference(m.fields, seen.written), seen.removed))
  })
}

/** What differs between two objects of one version, but for who owns what. */
export const compareObjects = <T>(type: StructType<T>, old: T, next: T): Comparison => compare(type, withoutEntries(old), withoutEntries(next))

/** The object, all in the version of the entry, without the fields that the entry owns. */
export const withoutFieldsOf = <T>(type: StructType<T>, object: T, entry: meta.ManagedFieldsEntry): T =>
  decodeObject(type, removeFields(type, object, readManagers([entry])[0]?.fields ?? emptySet) ?? {}).object

/** The entry as one of another version: it owns what `whole` has and `rest`, the object without what it owned, has not. */
export function entryIn<T>(type: StructType<T>, entry: meta.ManagedFieldsEntry, apiVersion: string, whole: T, rest: T): meta.ManagedFieldsEntry {
  const { added, modified } = compareObjects(type, rest, whole)
  return { ...entry, apiVersion, fieldsV1: toFieldsV1(ownable(union(added, modified))) }
}

/** kubectl may take over what it applied from the client's side before: the annotation says which fields those were. */
function refuse<T>(type: StructType<T>, live: T, manager: string, conflicts: readonly Conflict[]): void {
  const allowed = manager === 'kubectl' ? lastApplied(type, live) : emptySet
  const left = conflicts.filter(({ path }) => isEmptySet(intersection(setOfPaths([path]), allowed)))
  if (left.length > 0) throw applyConflict(left)
}

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/** The fields of the last client-side apply that still are as it left them. */
function lastApplied<T>(type: StructType<T>, live: T): FieldSet {
  const text = (live as Managed).metadata.annotations?.[lastAppliedAnnotation]
  if (!text) return emptySet
  try {
    const config = readConfig(type, parseJson(text).value)
    const { added, modified, removed } = compare(type, config, live)
    return [modified, added, removed].reduce(difference, fieldsOf(type, config))
  } catch (error) {
    // An annotation that anybody could have written: when it makes no sense it allows nothing.
    if (isApiError(error)) return emptySet
    throw error
  }
}

/**
 * Keeps track of a create (`old` undefined), an update or a patch: what changed belongs to the manager that changed it.
 * Gives `next` back with its `managedFields`. Objects that were never tracked stay untracked. A client may clear all
 * entries with `managedFields: [{}]`.
 */
export function updateManagedFields<T>(type: StructType<T>, old: T | undefined, next: T, { manager, now, subresource = '', elsewhere }: WriteOptions): T {
  const sent = (next as Managed).metadata?.managedFields
  const stored = old === undefined ? undefined : (old as Managed).metadata.managedFields
  const reset = subresource === '' && sent?.length === 1 && isReset(sent[0])
  if (reset && old !== undefined) return withManagers(next, [])
  if (old === undefined && (reset || !sent?.length)) return createdBy(type, next, manager, now)
  const fromRequest = subresource === '' ? readManagers(sent) : []
  const managers = fromRequest.length > 0 ? fromRequest : readManagers(stored)
  if (old !== undefined && managers.length === 0) return withManagers(next, [])

  const changes = compare(type, withoutEntries(old ?? nothing(type)), withoutEntries(next))
  if (isSame(changes)) return withManagers(next, managers)
  const written = union(changes.modified, changes.added)
  const fields = ownable(written)
  // Of what is written through a scale Kubernetes remembers no time.
  const at = subresource === 'scale' ? undefined : now
  const self: Manager = { name: manager, operation: 'Update', apiVersion: (next as Managed).apiVersion ?? '', subresource, time: at === undefined ? undefined : rfc3339(at), fields }
  const before = managers.find((m) => sameManager(m, self))
  const others = disown(before ? managers.filter((m) => m !== before) : managers, changes, elsewhere)
  if (!before) return withManagers(next, isEmptySet(fields) ? others : [...others, self])
  // What was its own and is written again stays as it is: mostly a set does not change at all, and need not be written out anew.
  const kept = difference(difference(before.fields, difference(written, fields)), changes.removed)
  return withManagers(next, [...others, isEmptySet(fields) ? withFields(before, kept) : withFields(before, union(kept, fields), at)])
}

/** A new object that belongs to who made it. */
function createdBy<T>(type: StructType<T>, next: T, manager: string, now: number): T {
  const { apiVersion = '', metadata } = next as Managed
  const object = withoutEntries(next)
  const fieldsV1 = createdFields(type as StructType, object)
  if (!fieldsV1) return object
  return { ...object, metadata: { ...metadata, managedFields: [entryOf({ name: manager, operation: 'Update', apiVersion, subresource: '', time: rfc3339(now) }, fieldsV1)] } } as T
}

/** A list without entries asks for the same as one with an entry in which nothing is stated, which is the form that a decode keeps: all managers are forgotten. */
export function withManagersReset(sent: unknown): unknown {
  const { metadata } = (sent ?? {}) as { readonly metadata?: { readonly managedFields?: unknown } | null }
  const entries = metadata?.managedFields
  return Array.isArray(entries) && entries.length === 0 ? { ...(sent as object), metadata: { ...metadata, managedFields: [{}] } } : sent
}

/** An entry in which nothing is stated. */
const isReset = (entry: meta.ManagedFieldsEntry | undefined): boolean => entry !== undefined && Object.keys(entry).length === 0
