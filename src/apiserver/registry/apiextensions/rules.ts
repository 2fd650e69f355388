/** What a definition has to be. What all its versions say alike is looked at once, under `spec`, and reported there. */
import type { apiextensions } from '../../../api/index.ts'
import { found, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1035Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { approvalErrors } from '../../crd/conditions.ts'
import { clientConfig } from '../admissionregistration/webhook-rules.ts'
import { certificateBundle } from './bundle.ts'
import { oneOfThese, unchanged, forEach } from '../checks.ts'
import { definitionSchema, printerColumn, scalePaths, selectableFields } from './structural.ts'

type Definition = apiextensions.CustomResourceDefinition
type Spec = apiextensions.CustomResourceDefinitionSpec
type Version = apiextensions.CustomResourceDefinitionVersion

/** What each version may say for itself, or all for the whole. */
const shared = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const
type Shared = Pick<Version, typeof shared[number]>

/** A spec as its rules see it. */
interface View {
  /** What all versions say alike. */
  readonly whole: Shared
  /** The versions with what is left to them. */
  readonly versions: readonly Version[]
}

/** Takes what all versions say alike out of them. */
function viewOf(versions: readonly Version[]): View {
  const [first, ...others] = versions
  if (!first) return { whole: {}, versions }
  const alike = shared.filter((name) => first[name] !== undefined && others.every((version) => deepEqual(version[name] ?? null, first[name])))
  const without = (version: Version): Version => ({ ...version, ...Object.fromEntries(alike.map((name) => [name, undefined])) })
  return { whole: Object.fromEntries(alike.map((name) => [name, first[name]])), versions: versions.map(without) }
}

/** A version as messages show it. */
const told = ({ name, served, storage, deprecated, deprecationWarning, schema, subresources, additionalPrinterColumns, selectableFields: selectable }: Version): object => ({
  Name: name, Served: served, Storage: storage, Deprecated: deprecated ?? false, DeprecationWarning: deprecationWarning ?? null,
  Schema: schema ?? null, Subresources: subresources ?? null, AdditionalPrinterColumns: additionalPrinterColumns ?? null, SelectableFields: selectable ?? null,
})

/** The rules of a new definition. */
export function definitionErrors(definition: Definition, root: Place): void {
  const { metadata, spec } = definition
  if (metadata.name && metadata.name !== `${spec.names.plural}.${spec.group}`) root.at('metadata').at('name').invalid(metadata.name, 'must be spec.names.plural+"."+spec.group')
  specErrors(spec, undefined, root)
  storedVersions(definition, root)
  approvalErrors(definition, undefined, root)
  preserving(spec, root)
}

/** The rules of a changed definition: what its objects are called stays. */
export function definitionUpdateErrors(next: Definition, current: Definition, root: Place): void {
  const at = root.at('spec')
  specErrors(next.spec, current, root)
  if (isEstablished(current)) {
    unchanged(at.at('scope'), next.spec.scope, current.spec.scope)
    unchanged(at.at('names').at('kind'), next.spec.names.kind, current.spec.names.kind)
  }
  unchanged(at.at('group'), next.spec.group, current.spec.group)
  unchanged(at.at('names').at('plural'), next.spec.names.plural, current.spec.names.plural)
  acceptedNames(next, root)
  storedVersions(next, root)
  approvalErrors(next, current, root)
  if (!current.spec.preserveUnknownFields) preserving(next.spec, root)
}

/** The rules of a changed status. */
export function acceptedNames({ status }: Definition, root: Place): void {
  names(root.at('status').at('acceptedNames'), status.acceptedNames)
}

const isEstablished = ({ status }: Definition): boolean => status.conditions.some((c) => c.type === 'Established' && c.status === 'True')

function preserving(spec: Spec, root: Place): void {
  if (spec.preserveUnknownFields) root.at('spec').at('preserveUnknownFields').invalid(true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead')
}

/** What is remembered of stored versions is true of the versions there are. */
function storedVersions({ spec, status }: Definition, root: Place): void {
  const at = root.at('status').at('storedVersions')
  if (status.storedVersions.length === 0) return at.invalid(null, 'must have at least one stored version')
  for (const { name, storage } of spec.versions) if (storage && !status.storedVersions.includes(name)) at.invalid(status.storedVersions, `must have the storage version ${name}`)
  for (const [i, name] of status.storedVersions.entries()) {
    if (spec.versions.some((version) => version.name === name)) continue
    at.index(i).invalid(name, `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration `
      + `ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`)
  }
}

function joined(at: Place, value: string, why: readonly string[], before = ''): void {
  if (why.length > 0) at.invalid(value, before + why.join(','))
}

function specErrors(spec: Spec, current: Definition | undefined, root: Place): void {
  const at = root.at('spec')
  const { whole, versions } = viewOf(spec.versions)
  groupAndScope(at, spec)
  if (!whole.schema?.openAPIV3Schema) for (const [i, version] of versions.entries()) if (!version.schema?.openAPIV3Schema) at.at('versions').index(i).at('schema').at('openAPIV3Schema').required()
  const before = current?.spec.versions ?? []
  for (const [i, version] of versions.entries()) {
    const place = at.at('versions').index(i)
    joined(place.at('name'), version.name, dns1035Label(version.name))
    deprecation(place.at('deprecationWarning'), version)
    const status = (whole.subresources ?? version.subresources)?.status !== undefined
    sharedErrors(place, version, { schema: 'schema', status, unchanged: before.some((old) => old.name === version.name && deepEqual(old.schema, spec.versions[i]?.schema)) })
  }
  const text = spec.versions.length === 0 ? [] : versions.map(told)
  if (new Set(versions.map(({ name }) => name)).size !== versions.length) at.at('versions').invalid(text, 'must contain unique version names')
  if (versions.filter(({ storage }) => storage).length !== 1) at.at('versions').invalid(text, 'must have exactly one version marked as storage version')
  const [first] = versions
  if (first?.name) joined(at.at('version'), first.name, dns1035Label(first.name))
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) if (!spec.names[name]) at.at('names').at(name).required()
  names(at.at('names'), spec.names)
  const someStatus = spec.versions.some(({ subresources }) => subresources?.status !== undefined)
  sharedErrors(at, whole, { schema: 'validation', status: someStatus, unchanged: before.some((old) => old.name === first?.name && deepEqual(old.schema, whole.schema)) })
  if (spec.conversion && spec.conversion.strategy !== 'None' && spec.preserveUnknownFields) at.at('conversion').at('strategy').invalid(spec.conversion.strategy, 'must be None if spec.preserveUnknownFields is true')
  conversion(at.at('conversion'), spec, current)
}

function groupAndScope(at: Place, { group, scope }: Spec): void {
  const why = dns1123Subdomain(group)
  if (!group) at.at('group').required()
  else if (why.length > 0) joined(at.at('group'), group, why)
  else if (!group.includes('.')) at.at('group').invalid(group, 'should be a domain with at least one dot')
  oneOfThese(at.at('scope'), scope, ['Cluster', 'Namespaced'])
}

interface SharedOptions {
  /** What the schema is called here. */
  readonly schema: 'schema' | 'validation'
  readonly status: boolean
  /** The schema is the one that was accepted before. */
  readonly unchanged: boolean
}

function sharedErrors(at: Place, part: Shared, { schema: name, status, unchanged: same }: SharedOptions): void {
  const schema = part.schema?.openAPIV3Schema
  if (schema) definitionSchema(at.at(name).at('openAPIV3Schema'), schema, { status, unchanged: same })
  scalePaths(at.at('subresources'), part)
  forEach(at.at('additionalPrinterColumns'), part.additionalPrinterColumns, (column, here) => printerColumn(here, column))
  selectableFields(at.at('selectableFields'), part.selectableFields, schema)
}

/** What is not seen when it is printed. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

function deprecation(at: Place, { deprecated, deprecationWarning: warning }: Version): void {
  if (warning === undefined) return
  if (!deprecated) return at.invalid(warning, 'can only be set for deprecated versions')
  if (Buffer.byteLength(warning) > 256) at.invalid(warning, 'must be <= 256 characters long')
  if (warning === '') at.invalid(warning, 'must not be an empty string')
  const hidden = unprintable.exec(warning)
  if (hidden) at.invalid(warning, `must only contain printable UTF-8 characters; non-printable character found at index ${Buffer.byteLength(warning.slice(0, hidden.index))}`)
}

const anyCase = 'may have mixed case, but should otherwise match: '

function names(at: Place, { plural, singular = '', kind, listKind = '', shortNames, categories }: apiextensions.CustomResourceDefinitionNames): void {
  if (plural) joined(at.at('plural'), plural, dns1035Label(plural))
  if (singular) joined(at.at('singular'), singular, dns1035Label(singular))
  if (kind) joined(at.at('kind'), kind, dns1035Label(kind.toLowerCase()), anyCase)
  if (listKind) joined(at.at('listKind'), listKind, dns1035Label(listKind.toLowerCase()), anyCase)
  forEach(at.at('shortNames'), shortNames, (value, place) => joined(place, value, dns1035Label(value)))
  if (kind && kind === listKind) at.at('listKind').invalid(listKind, 'kind and listKind may not be the same')
  forEach(at.at('categories'), categories, (value, place) => joined(place, value, dns1035Label(value)))
}

const reviewVersions = ['v1', 'v1beta1']
const isReviewVersion = (name: string): boolean => reviewVersions.includes(name)

function conversion(at: Place, spec: Spec, current: Definition | undefined): void {
  if (!spec.conversion) return
  const { strategy, webhook } = spec.conversion
  const [config, versions] = [webhook?.clientConfig, webhook?.conversionReviewVersions ?? []]
  oneOfThese(at.at('strategy'), strategy, ['None', 'Webhook'])
  if (strategy !== 'Webhook') {
    const why = 'should not be set when strategy is not set to Webhook'
    if (config) at.at('webhookClientConfig').forbidden(why)
    if (versions.length > 0) at.at('conversionReviewVersions').forbidden(why)
    return
  }
  if (!config) at.at('webhookClientConfig').required('required when strategy is set to Webhook')
  else {
    clientConfig(at.at('webhookClientConfig'), config)
    if (config.caBundle && current && isEstablished(current) && !brokenBundle(current)) certificateBundle(at.at('webhookClientConfig').at('caBundle'), config.caBundle)
  }
  const before = current?.spec.conversion?.webhook?.conversionReviewVersions ?? []
  reviews(at.at('conversionReviewVersions'), versions, before.length === 0 || before.some(isReviewVersion))
}

/** What was wrong before may stay wrong. */
function brokenBundle({ spec }: Definition): boolean {
  const bundle = spec.conversion?.webhook?.clientConfig?.caBundle
  return bundle !== undefined && bundle !== '' && found((at) => certificateBundle(at, bundle)).length > 0
}

function reviews(at: Place, versions: readonly string[], known: boolean): void {
  if (versions.length === 0) return at.required()
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) at.index(i).invalid(version, 'duplicate version')
    else for (const why of dns1035Label(version)) at.index(i).invalid(version, why)
  }
  if (known && !versions.some(isReviewVersion)) at.invalid(versions, `must include at least one of ${reviewVersions.join(', ')}`)
}
