/** The rules for `metadata`, the same for every kind. */
import type { meta } from '../api/index.ts'
import type { Place } from './field.ts'
import { deepEqual } from './meta.ts'
import { annotationsSize, dns1123Label, labelValue, qualifiedName, type NameRule } from './names.ts'

export interface ObjectMetaRules {
  readonly namespaced: boolean
  /** What the kind's names look like; `dns1123Subdomain` for most. */
  readonly nameRule: NameRule
  /** Finalizers need no domain: custom kinds, and objects inside of others. */
  readonly anyFinalizers?: boolean
}

type Meta = Partial<meta.ObjectMeta>

/** A generated name goes on where `generateName` ends, so a dash at its end is no mistake. */
const maskTrailingDash = (prefix: string) => (prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix)

/** What is wrong with an object's metadata. */
export function validateObjectMeta(m: Meta, at: Place, rules: ObjectMetaRules): void {
  if (m.generateName) for (const text of rules.nameRule(maskTrailingDash(m.generateName))) at.at('generateName').invalid(m.generateName, text)
  if (!m.name) at.at('name').required('name or generateName is required')
  else for (const text of rules.nameRule(m.name)) at.at('name').invalid(m.name, text)
  if (rules.namespaced) {
    if (!m.namespace) at.at('namespace').required()
    else for (const text of dns1123Label(m.namespace)) at.at('namespace').invalid(m.namespace, text)
  } else if (m.namespace) at.at('namespace').forbidden('not allowed on this type')
  if ((m.generation ?? 0) < 0) at.at('generation').invalid(m.generation, 'must be greater than or equal to 0')
  if ((m.generation ?? 0) < 0) at.at('generation').invalid(m.generation, 'must be greater than or equal to 0')
  if (m.labels) validateLabels(m.labels, at.at('labels'))
  if (m.annotations) validateAnnotations(m.annotations, at.at('annotations'))
  if (m.ownerReferences) validateOwnerReferences(m.ownerReferences, at.at('ownerReferences'))
  if (m.finalizers) validateFinalizers(m.finalizers, at.at('finalizers'), rules)
  if (m.managedFields) validateManagedFields(m.managedFields, at.at('managedFields'))
}

/** What is wrong with a map of labels. */
export function validateLabels(labels: meta.ObjectMeta['labels'], at: Place): void {
  if (!labels) return
  for (const key in labels) {
    const value = labels[key] ?? ''
    for (const text of qualifiedName(key)) at.invalid(key, text)
    for (const text of labelValue(value)) at.invalid(value, text)
  }
}

/** What is wrong with a map of annotations: its keys and its size. */
export function validateAnnotations(annotations: meta.ObjectMeta['annotations'], at: Place): void {
  if (!annotations) return
  // Upper case is allowed in an annotation's prefix, which is why the key is lowered first.
  for (const key in annotations) for (const text of qualifiedName(key.toLowerCase())) at.invalid(key, text)
  if (annotationsSize(annotations).length > 0) at.tooLong(256 * 1024)
}

function validateOwnerReferences(references: readonly meta.OwnerReference[], at: Place): void {
  let controller: meta.OwnerReference | undefined
  for (const reference of references) {
    if (reference.apiVersion.split('/').at(-1) === '') at.at('apiVersion').invalid(reference.apiVersion, 'version must not be empty')
    for (const key of ['kind', 'name', 'uid'] as const) if (reference[key] === '') at.at(key).invalid(reference[key], 'must not be empty')
    if (reference.kind === 'Event' && reference.apiVersion === 'v1') {
      at.invalid(reference, '/v1, Kind=Event is disallowed from being an owner')
    }
    if (!reference.controller) continue
    if (controller) {
      at.invalid(references,
        `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${reference.kind}/${reference.name}`)
    } else controller = reference
  }
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion']
const isUnqualified = (name: string): boolean => !name.includes('/') && !standardFinalizers.includes(name)

/** What a client is told of finalizers of custom objects that any other client may choose as well, in order of their names. */
export const finalizerWarnings = (finalizers: readonly string[] | undefined, before: readonly string[] = []): readonly string[] =>
  (finalizers ?? []).filter((name) => !before.includes(name) && isUnqualified(name)).toSorted().map((name) =>
    `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name ${name.includes('.') ? 'including a path (/) ' : ''}to avoid accidental conflicts with other finalizer writers`)

/** What is wrong with a list of finalizers: unqualified names other than the three that Kubernetes itself uses. */
export function validateFinalizers(finalizers: readonly string[] | undefined, at: Place, { anyFinalizers = false }: Pick<ObjectMetaRules, 'anyFinalizers'> = {}): void {
  if (!finalizers) return
  for (const name of finalizers) for (const text of qualifiedName(name)) at.invalid(name, text)
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    at.invalid(finalizers, 'finalizer orphan and foregroundDeletion cannot be both set')
  }
  if (!anyFinalizers) validateFinalizerDomains(finalizers, at)
}

/** Finalizers of Kubernetes's own kinds need a domain, but for the three that Kubernetes itself uses. */
export function validateFinalizerDomains(finalizers: readonly string[] | undefined, at: Place): void {
  for (const [i, name] of (finalizers ?? []).entries()) if (isUnqualified(name)) at.index(i).invalid(name, neitherNor)
}

const neitherNor = 'name is neither a standard finalizer name nor is it fully qualified'

/** What is wrong with one finalizer of Kubernetes's own. `here`: where it is said that it needs a domain. */
export function validateFinalizer(name: string, at: Place, here: Place): void {
  for (const text of qualifiedName(name)) at.invalid(name, text)
  if (isUnqualified(name)) here.invalid(name, neitherNor)
}

function validateManagedFields(entries: readonly meta.ManagedFieldsEntry[], at: Place): void {
  entries.forEach((entry, i) => {
    const here = at.index(i)
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') here.at('operation').invalid(entry.operation ?? '', 'must be `Apply` or `Update`')
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') here.at('fieldsType').invalid(entry.fieldsType, 'must be `FieldsV1`')
    if (Buffer.byteLength(entry.manager ?? '') > 128) here.at('fieldManager').tooLong(128)
    if (Buffer.byteLength(entry.subresource ?? '') > 256) here.at('subresource').tooLong(256)
  })
}

const immutable = 'field is immutable'

/** What an update may not change in metadata. */
export function validateObjectMetaUpdate(next: Meta, old: Meta, at: Place, rules: Pick<ObjectMetaRules, 'anyFinalizers'> = {}): void {
  const added = (next.finalizers ?? []).filter((name) => !old.finalizers?.includes(name))
  if (old.deletionTimestamp && added.length > 0) {
    const shown = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`
    at.at('finalizers').forbidden(`no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`)
  }
  if ((next.generation ?? 0) < (old.generation ?? 0)) at.at('generation').invalid(next.generation ?? 0, 'must not be decremented')
  for (const key of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (!deepEqual(next[key], old[key])) at.at(key).invalid(next[key] ?? null, immutable)
  }
  if (next.labels) validateLabels(next.labels, at.at('labels'))
  if (next.annotations) validateAnnotations(next.annotations, at.at('annotations'))
  if (next.ownerReferences) validateOwnerReferences(next.ownerReferences, at.at('ownerReferences'))
  if (next.finalizers && next.finalizers !== old.finalizers) validateFinalizers(next.finalizers, at.at('finalizers'), rules)
  if (next.managedFields) validateManagedFields(next.managedFields, at.at('managedFields'))
}
