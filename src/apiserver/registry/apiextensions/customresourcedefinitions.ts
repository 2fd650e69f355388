/** Custom resource definitions. */
import type { apiextensions } from '../../../api/index.ts'
import { path, type FieldError, type Path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1035Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { approvalErrors } from '../../crd/conditions.ts'
import { clientConfig } from '../admissionregistration/webhook-rules.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, follows, forEach, oneOfThese, unchanged, type Check } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import { definitionSchema, formatWarnings, loadRules, printerColumn, scalePaths, selectableFields } from './structural.ts'

type Definition = apiextensions.CustomResourceDefinition
type Version = apiextensions.CustomResourceDefinitionVersion

function withDefaults(definition: Definition): Definition {
  return within(definition, 'spec', (spec) => {
    const { kind } = spec.names
    const names = orDefault(spec.names, { ...(kind && { singular: kind.toLowerCase(), listKind: `${kind}List` }) })
    const conversion = orDefault(spec.conversion ?? { strategy: 'None' }, {})
    return {
      ...spec,
      names,
      conversion: within(conversion, 'webhook', (webhook) => within(webhook, 'clientConfig', (config) => within(config, 'service', (service) => orDefault(service, { port: 443 })))),
    }
  })
}

/** The version in which objects are stored is remembered for as long as there may be objects in it. */
function withStoredVersion(definition: Definition, before: readonly string[]): Definition {
  const storage = definition.spec.versions.find((version) => version.storage)?.name
  const storedVersions = storage && !before.includes(storage) ? [...before, storage] : before
  return { ...definition, status: { ...definition.status, storedVersions } }
}

function* validate({ metadata, spec }: Definition, before?: Definition): Check {
  const at = path('spec')
  const { plural, kind, singular, listKind } = spec.names
  if (metadata.name !== `${plural}.${spec.group}`) yield path('metadata').at('name').invalid(metadata.name, 'must be spec.names.plural+"."+spec.group')
  if (!spec.group) yield at.at('group').required()
  else {
    yield* follows(at.at('group'), spec.group, dns1123Subdomain)
    if (!spec.group.includes('.')) yield at.at('group').invalid(spec.group, 'should be a domain with at least one dot')
  }
  yield* oneOfThese(at.at('scope'), spec.scope, ['Cluster', 'Namespaced'])
  for (const [name, value] of [['plural', plural], ['singular', singular], ['kind', kind.toLowerCase()], ['listKind', listKind?.toLowerCase()]] as const) {
    if (!value) yield at.at('names').at(name).required()
    else for (const why of dns1035Label(value)) yield at.at('names').at(name).invalid(value, why)
  }
  if (kind && kind === listKind) yield at.at('names').at('listKind').invalid(listKind, 'kind and listKind may not be the same')
  for (const name of ['shortNames', 'categories'] as const) yield* forEach(at.at('names').at(name), spec.names[name], (value, place) => follows(place, value, dns1035Label))
  yield* versions(at.at('versions'), spec.versions, before?.spec.versions)
  yield* conversion(at.at('conversion'), spec)
  if (spec.preserveUnknownFields) yield at.at('preserveUnknownFields').invalid(true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead')
}

function* versions(at: Path, list: readonly Version[], before: readonly Version[] = []): Check {
  if (list.length === 0) yield at.required('must have at least one version')
  yield* distinct(at, list, (version) => version.name, 'name')
  if (list.filter((version) => version.storage).length !== 1) yield at.invalid(list.map((v) => v.name), 'must have exactly one version marked as storage version')
  yield* forEach(at, list, function* (version, place) {
    yield* follows(place.at('name'), version.name, dns1035Label)
    const schema = version.schema?.openAPIV3Schema
    const root = place.at('schema').at('openAPIV3Schema')
    if (!schema) yield root.required('schemas are required')
    else yield* definitionSchema(root, schema, {
      status: version.subresources?.status !== undefined,
      unchanged: before.some((old) => old.name === version.name && deepEqual(old.schema, version.schema)),
    })
    yield* scalePaths(place.at('subresources'), version)
    yield* selectableFields(place.at('selectableFields'), version.selectableFields, schema)
    yield* forEach(place.at('additionalPrinterColumns'), version.additionalPrinterColumns, (column, here) => printerColumn(here, column))
    if (version.deprecationWarning !== undefined && !version.deprecated) yield place.at('deprecationWarning').invalid(version.deprecationWarning, 'can only be set for deprecated versions')
  })
}

function* conversion(at: Path, spec: apiextensions.CustomResourceDefinitionSpec): Check {
  if (!spec.conversion) return
  const { strategy, webhook } = spec.conversion
  yield* oneOfThese(at.at('strategy'), strategy, ['None', 'Webhook'])
  if (strategy !== 'Webhook') {
    if (webhook) yield at.at('webhook').forbidden('should not be set when strategy is not set to Webhook')
    return
  }
  if (!webhook?.clientConfig) return yield at.at('webhook').at('clientConfig').required('required when strategy is set to Webhook')
  yield* clientConfig(at.at('webhook').at('clientConfig'), webhook.clientConfig)
  if (webhook.conversionReviewVersions.length === 0) yield at.at('webhook').at('conversionReviewVersions').required()
}

/** Once a definition is established, what its objects are called stays. */
function validateUpdate(next: Definition, current: Definition): FieldError[] {
  const at = path('spec')
  const established = current.status.conditions.some((c) => c.type === 'Established' && c.status === 'True')
  const gone = current.status.storedVersions.filter((name) => !next.spec.versions.some((version) => version.name === name))
  return [
    ...validate(next, current),
    ...unchanged(at.at('group'), next.spec.group, current.spec.group),
    ...(established ? [...unchanged(at.at('scope'), next.spec.scope, current.spec.scope), ...unchanged(at.at('names').at('kind'), next.spec.names.kind, current.spec.names.kind)] : []),
    ...unchanged(at.at('names').at('plural'), next.spec.names.plural, current.spec.names.plural),
    ...gone.map((name) => path('status').at('storedVersions').index(current.status.storedVersions.indexOf(name)).invalid(name, 'missing from spec.versions; '
      + `${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`)),
  ]
}

/** What is remembered of stored versions is true of the versions there are. */
function validateStatusUpdate({ spec, status }: Definition): FieldError[] {
  const at = path('status').at('storedVersions')
  if (status.storedVersions.length === 0) return [at.invalid(status.storedVersions, 'must have at least one stored version')]
  const storage = spec.versions.find((version) => version.storage)?.name ?? ''
  return [
    ...(status.storedVersions.includes(storage) ? [] : [at.invalid(storage, `must have the storage version ${storage}`)]),
    ...status.storedVersions.flatMap((name, i) => (spec.versions.some((version) => version.name === name) ? [] : [at.index(i).invalid(name, 'must appear in spec.versions')])),
  ]
}

export const customresourcedefinitions: Strategy<Definition> = {
  unconditionalUpdate: false,
  default: withDefaults,
  ready: (definition) => loadRules(definition.spec.versions.map(({ schema }) => schema?.openAPIV3Schema)),
  prepareForCreate: (definition) => withStoredVersion(definition, []),
  prepareForUpdate: (next, current) => withStoredVersion(next, current.status.storedVersions),
  validate: (definition) => [...approvalErrors(definition), ...validate(definition)],
  validateUpdate,
  validateStatusUpdate,
  warnings: ({ spec }) => [...new Set(spec.versions.flatMap(({ schema }) => formatWarnings(schema?.openAPIV3Schema)))],
  printer: printer<Definition>(nameColumn, createdAtColumn),
}
