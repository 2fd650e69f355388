/** Custom resource definitions. */
import type { apiextensions } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { orDefault, within } from '../defaulting.ts'
import { createdAtColumn, nameColumn, printer } from '../printing.ts'
import { acceptedNames, definitionErrors, definitionUpdateErrors } from './rules.ts'
import { formatWarnings, loadRules } from './structural.ts'

type Definition = apiextensions.CustomResourceDefinition

function withDefaults(definition: Definition): Definition {
  const { versions = [] } = definition.spec
  const storage = versions.find((version) => version.storage)?.name
  const stored = definition.status.storedVersions.length > 0 || storage === undefined ? definition : { ...definition, status: { ...definition.status, storedVersions: [storage] } }
  return within(stored, 'spec', (spec) => {
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
  const storedVersions = storage !== undefined && !before.includes(storage) ? [...before, storage] : before
  return { ...definition, status: { ...definition.status, storedVersions } }
}

const unknownFormats = ({ spec }: Definition): readonly string[] => [...new Set(spec.versions.flatMap(({ schema }) => formatWarnings(schema?.openAPIV3Schema)))]

export const customresourcedefinitions: Strategy<Definition> = {
  unconditionalUpdate: false,
  anyFinalizers: true,
  default: withDefaults,
  ready: (definition) => loadRules(definition.spec.versions.map(({ schema }) => schema?.openAPIV3Schema)),
  prepareForCreate: (definition) => withStoredVersion(definition, []),
  prepareForUpdate: (next, current) => withStoredVersion(next, current.status.storedVersions),
  validate: definitionErrors,
  validateUpdate: definitionUpdateErrors,
  validateStatusUpdate: (next, _current, root) => acceptedNames(next, root),
  // What was said of a definition before is not said again.
  warnings: (definition, current) => unknownFormats(definition).filter((text) => !current || !unknownFormats(current).includes(text)),
  printer: printer<Definition>(nameColumn, createdAtColumn),
}
