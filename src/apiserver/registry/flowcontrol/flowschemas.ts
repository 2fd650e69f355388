/** Flow schemas: which requests share which level of priority. */
import type { flowcontrol } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { forEach, ifThere, named, type Check } from '../checks.ts'
import { within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'

const withDefaults = (schema: flowcontrol.FlowSchema): flowcontrol.FlowSchema =>
  within(schema, 'spec', (spec) => (spec.matchingPrecedence === 0 ? { ...spec, matchingPrecedence: 1000 } : spec))

const verbs = ['*', 'create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']

function* validate({ metadata, spec }: flowcontrol.FlowSchema): Check {
  const at = path('spec')
  const precedence = spec.matchingPrecedence
  if (precedence <= 0) yield at.at('matchingPrecedence').invalid(precedence, 'must be a positive value')
  if (precedence > 10000) yield at.at('matchingPrecedence').invalid(precedence, 'must not be greater than 10000')
  if (precedence === 1 && metadata.name !== 'exempt') yield at.at('matchingPrecedence').invalid(precedence, 'only the schema named \'exempt\' may have matchingPrecedence 1')
  yield* named(at.at('priorityLevelConfiguration').at('name'), spec.priorityLevelConfiguration.name, dns1123Subdomain)
  if (spec.distinguisherMethod) yield* ifThere(at.at('distinguisherMethod').at('type'), spec.distinguisherMethod.type, ['ByNamespace', 'ByUser'])
  yield* forEach(at.at('rules'), spec.rules, rule)
}

function* rule(value: flowcontrol.PolicyRulesWithSubjects, at: Path): Check {
  if (value.subjects.length === 0) yield at.at('subjects').required('subjects must contain at least one value')
  if (!value.resourceRules?.length && !value.nonResourceRules?.length) yield at.required('at least one of resourceRules and nonResourceRules has to be non-empty')
  yield* forEach(at.at('subjects'), value.subjects, function* (subject, place) {
    const kinds = { User: 'user', Group: 'group', ServiceAccount: 'serviceAccount' } as const
    const name = kinds[subject.kind as keyof typeof kinds]
    if (!name) yield place.at('kind').notSupported(subject.kind, Object.keys(kinds))
    else if (!subject[name]) yield place.at(name).required(`${name} is required when subject kind is '${subject.kind}'`)
  })
  yield* forEach(at.at('resourceRules'), value.resourceRules, function* (r, place) {
    yield* someVerbs(place.at('verbs'), r.verbs)
    if (r.apiGroups.length === 0) yield place.at('apiGroups').required('resource rules must supply at least one api group')
    if (r.resources.length === 0) yield place.at('resources').required('resource rules must supply at least one resource')
    if (r.namespaces.length === 0 && !r.clusterScope) yield place.at('namespaces').required('resource rules that are not cluster scoped must supply at least one namespace')
  })
  yield* forEach(at.at('nonResourceRules'), value.nonResourceRules, function* (r, place) {
    yield* someVerbs(place.at('verbs'), r.verbs)
    if (r.nonResourceURLs.length === 0) yield place.at('nonResourceURLs').required('nonResourceURLs must contain at least one value')
  })
}

function* someVerbs(at: Path, list: readonly string[]): Check {
  if (list.length === 0) yield at.required('verbs must contain at least one value')
  else if (list.length > 1 && list.includes('*')) yield at.invalid(list, "if '*' is present, must not specify other verbs")
  else for (const verb of list) if (!verbs.includes(verb) && !['head', 'options', 'post', 'put', 'connect', 'trace'].includes(verb)) yield at.notSupported(verb, verbs)
}

const missing = ({ status }: flowcontrol.FlowSchema): string =>
  (({ True: 'True', False: 'False' }) as Record<string, string>)[status.conditions?.find((c) => c.type === 'Dangling')?.status ?? ''] ?? '?'

export const flowschemas: Strategy<flowcontrol.FlowSchema> = {
  default: withDefaults,
  unconditionalUpdate: false,
  validate: (schema) => [...validate(schema)],
  printer: printer<flowcontrol.FlowSchema>(
    nameColumn,
    text('PriorityLevel', 'The level its requests have.', (o) => o.spec.priorityLevelConfiguration.name),
    integer('MatchingPrecedence', 'Lower ones are tried first.', (o) => o.spec.matchingPrecedence),
    text('DistinguisherMethod', 'How its requests are told apart.', (o) => o.spec.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    text('MissingPL', 'Whether its level does not exist.', missing),
  ),
}
