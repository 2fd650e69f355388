/** The rules for `metadata`, the same for every kind. */
import type { meta } from '../api/index.ts'
import { path as rootPath, type FieldError, type Path } from './field.ts'
import { deepEqual } from './meta.ts'
import { annotationsSize, dns1123Label, labelValue, qualifiedName, type NameRule } from './names.ts'

export interface ObjectMetaRules {
  readonly namespaced: boolean
  /** What the kind's names look like; `dns1123Subdomain` for most. */
  readonly nameRule: NameRule
  /** Where the metadata stands; `metadata` when left out. */
  readonly path?: Path
}

type Meta = Partial<meta.ObjectMeta>

/** A generated name goes on where `generateName` ends, so a dash at its end is no mistake. */
const maskTrailingDash = (prefix: string) => (prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix)

/** What is wrong with an object's metadata. */
export function validateObjectMeta(object: Meta | undefined, rules: ObjectMetaRules): FieldError[] {
  const at = rules.path ?? rootPath('metadata')
  const m = object ?? {}
  const errors: FieldError[] = []
  if (m.generateName) for (const text of rules.nameRule(maskTrailingDash(m.generateName))) errors.push(at.at('generateName').invalid(m.generateName, text))
  if (!m.name) errors.push(at.at('name').required('name or generateName is required'))
  else for (const text of rules.nameRule(m.name)) errors.push(at.at('name').invalid(m.name, text))
  if (rules.namespaced) {
    if (!m.namespace) errors.push(at.at('namespace').required())
    else for (const text of dns1123Label(m.namespace)) errors.push(at.at('namespace').invalid(m.namespace, text))
  } else if (m.namespace) errors.push(at.at('namespace').forbidden('not allowed on this type'))
  if ((m.generation ?? 0) < 0) errors.push(at.at('generation').invalid(m.generation, 'must be greater than or equal to 0'))
  errors.push(
    ...validateLabels(m.labels, at.at('labels')),
    ...validateAnnotations(m.annotations, at.at('annotations')),
    ...validateOwnerReferences(m.ownerReferences, at.at('ownerReferences')),
    ...validateFinalizers(m.finalizers, at.at('finalizers')),
    ...validateManagedFields(m.managedFields, at.at('managedFields')),
  )
  return errors
}

/** What is wrong with a map of labels. */
export function validateLabels(labels: meta.ObjectMeta['labels'], at: Path): FieldError[] {
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const text of qualifiedName(key)) errors.push(at.invalid(key, text))
    for (const text of labelValue(value)) errors.push(at.invalid(value, text))
  }
  return errors
}

/** What is wrong with a map of annotations: its keys and its size. */
export function validateAnnotations(annotations: meta.ObjectMeta['annotations'], at: Path): FieldError[] {
  const errors: FieldError[] = []
  // Upper case is allowed in an annotation's prefix, which is why the key is lowered first.
  for (const key of Object.keys(annotations ?? {})) for (const text of qualifiedName(key.toLowerCase())) errors.push(at.invalid(key, text))
  if (annotationsSize(annotations).length > 0) errors.push(at.tooLong(256 * 1024))
  return errors
}

function validateOwnerReferences(references: meta.ObjectMeta['ownerReferences'], at: Path): FieldError[] {
  const errors: FieldError[] = []
  let controller: meta.OwnerReference | undefined
  for (const reference of references ?? []) {
    if (reference.apiVersion.split('/').at(-1) === '') errors.push(at.at('apiVersion').invalid(reference.apiVersion, 'version must not be empty'))
    for (const key of ['kind', 'name', 'uid'] as const) if (reference[key] === '') errors.push(at.at(key).invalid(reference[key], 'must not be empty'))
    if (reference.kind === 'Event' && reference.apiVersion === 'v1') {
      errors.push(at.invalid(reference, '/v1, Kind=Event is disallowed from being an owner'))
    }
    if (!reference.controller) continue
    if (controller) {
      errors.push(at.invalid(references,
        `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${reference.kind}/${reference.name}`))
    } else controller = reference
  }
  return errors
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion']

/** What is wrong with a list of finalizers: unqualified names other than the three that Kubernetes itself uses. */
export function validateFinalizers(finalizers: readonly string[] | undefined, at: Path): FieldError[] {
  const errors: FieldError[] = []
  for (const name of finalizers ?? []) {
    const problems = qualifiedName(name)
    for (const text of problems) errors.push(at.invalid(name, text))
    if (problems.length === 0 && !name.includes('/') && !standardFinalizers.includes(name)) {
      errors.push(at.invalid(name, 'name is neither a standard finalizer name nor is it fully qualified'))
    }
  }
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(at.invalid(finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return errors
}

function validateManagedFields(entries: meta.ObjectMeta['managedFields'], at: Path): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, entry] of (entries ?? []).entries()) {
    const here = at.index(i)
    if (entry.operation !== 'Apply' && entry.operation !== 'Update') errors.push(here.at('operation').invalid(entry.operation ?? '', 'must be `Apply` or `Update`'))
    if (entry.fieldsType && entry.fieldsType !== 'FieldsV1') errors.push(here.at('fieldsType').invalid(entry.fieldsType, 'must be `FieldsV1`'))
    if (Buffer.byteLength(entry.manager ?? '') > 128) errors.push(here.at('fieldManager').tooLong(128))
    if (Buffer.byteLength(entry.subresource ?? '') > 256) errors.push(here.at('subresource').tooLong(256))
  }
  return errors
}

const immutable = 'field is immutable'

/** What an update may not change in metadata. */
export function validateObjectMetaUpdate(next: Meta, old: Meta, at: Path = rootPath('metadata')): FieldError[] {
  const errors: FieldError[] = []
  const added = (next.finalizers ?? []).filter((name) => !old.finalizers?.includes(name))
  if (old.deletionTimestamp && added.length > 0) {
    const shown = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`
    errors.push(at.at('finalizers').forbidden(`no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`))
  }
  if ((next.generation ?? 0) < (old.generation ?? 0)) errors.push(at.at('generation').invalid(next.generation ?? 0, 'must not be decremented'))
  for (const key of ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (!deepEqual(next[key], old[key])) errors.push(at.at(key).invalid(next[key] ?? null, immutable))
  }
  errors.push(
    ...validateLabels(next.labels, at.at('labels')),
    ...validateAnnotations(next.annotations, at.at('annotations')),
    ...validateOwnerReferences(next.ownerReferences, at.at('ownerReferences')),
    ...validateManagedFields(next.managedFields, at.at('managedFields')),
  )
  return errors
}
