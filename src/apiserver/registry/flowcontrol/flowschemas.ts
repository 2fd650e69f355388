/** Flow schemas: which requests share which level of priority. */
import { flowcontrol as resources, type flowcontrol } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { mandatorySchemas } from '../../flowcontrol/objects.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, follows, forEach, type Check } from '../checks.ts'
import { complete } from './fixed.ts'
import { within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer, text } from '../printing.ts'

const withDefaults = (schema: flowcontrol.FlowSchema): flowcontrol.FlowSchema =>
  within(schema, 'spec', (spec) => (spec.matchingPrecedence === 0 ? { ...spec, matchingPrecedence: 1000 } : spec))

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const methods = ['ByNamespace', 'ByUser']

function* validate({ metadata, spec }: flowcontrol.FlowSchema): Check {
  const at = path('spec')
  const precedence = spec.matchingPrecedence
  if (precedence <= 0) yield at.at('matchingPrecedence').invalid(precedence, 'must be a positive value')
  if (precedence > 10000) yield at.at('matchingPrecedence').invalid(precedence, 'must not be greater than 10000')
  if (precedence === 1 && metadata.name !== 'exempt') yield at.at('matchingPrecedence').invalid(precedence, 'only the schema named \'exempt\' may have matchingPrecedence 1')
  const method = spec.distinguisherMethod
  if (method && !methods.includes(method.type)) yield at.at('distinguisherMethod').at('type').notSupported(method, methods)
  const level = at.at('priorityLevelConfiguration').at('name')
  if (!spec.priorityLevelConfiguration.name) yield level.required('must reference a priority level')
  else yield* follows(level, spec.priorityLevelConfiguration.name, dns1123Subdomain)
  yield* forEach(at.at('rules'), spec.rules, rule)
  const fixed = mandatorySchemas.find(({ name }) => name === metadata.name)
  if (fixed && !deepEqual(spec, complete(resources.flowschemas, fixed))) yield at.invalid(spec, `spec of '${fixed.name}' must equal the fixed value`)
}

function* rule(value: flowcontrol.PolicyRulesWithSubjects, at: Path): Check {
  if (value.subjects.length === 0) yield at.at('subjects').required('subjects must contain at least one value')
  if (!value.resourceRules?.length && !value.nonResourceRules?.length) yield at.required('at least one of resourceRules and nonResourceRules has to be non-empty')
  yield* forEach(at.at('subjects'), value.subjects, function* (subject, place) {
    const mine = kinds[subject.kind as keyof typeof kinds]
    if (!mine) return yield place.at('kind').notSupported(subject.kind, Object.keys(kinds))
    const value = subject[mine]
    if (!value) yield place.at(mine).required(`${mine} is required when subject kind is '${subject.kind}'`)
    else if (!value.name) yield place.at(mine).at('name').required()
    if (subject.kind === 'ServiceAccount' && subject.serviceAccount) yield* account(place.at('serviceAccount'), subject.serviceAccount)
    for (const [kind, name] of Object.entries(kinds)) {
      if (name !== mine && subject[name]) yield place.at(name).forbidden(`${name} is forbidden when subject kind is not '${kind}'`)
    }
  })
  yield* forEach(at.at('resourceRules'), value.resourceRules, function* (r, place) {
    yield* someVerbs(place.at('verbs'), r.verbs)
    if (r.apiGroups.length === 0) yield place.at('apiGroups').required('resource rules must supply at least one api group')
    yield* star(place.at('apiGroups'), r.apiGroups, 'api groups')
    if (r.resources.length === 0) yield place.at('resources').required('resource rules must supply at least one resource')
    yield* star(place.at('resources'), r.resources, 'resources')
    if (r.namespaces.length === 0 && !r.clusterScope) yield place.at('namespaces').required('resource rules that are not cluster scoped must supply at least one namespace')
    else if (r.namespaces.includes('*')) yield* star(place.at('namespaces'), r.namespaces, 'namespaces')
    else {
      yield* forEach(place.at('namespaces'), r.namespaces, (name, here) => follows(here, name, (text) => dns1123Label(text).map((why) => `each member of this list must be '*' or a DNS-1123 label; ${why}`)))
    }
  })
  yield* forEach(at.at('nonResourceRules'), value.nonResourceRules, function* (r, place) {
    yield* someVerbs(place.at('verbs'), r.verbs)
    if (r.nonResourceURLs.length === 0) yield place.at('nonResourceURLs').required('nonResourceURLs must contain at least one value')
    else if (r.nonResourceURLs.includes('*')) yield* star(place.at('nonResourceURLs'), r.nonResourceURLs, 'non-resource URLs')
    else yield* forEach(place.at('nonResourceURLs'), r.nonResourceURLs, (url, here) => follows(here, url, urlProblems))
  })
}

function* someVerbs(at: Path, list: readonly string[]): Check {
  if (list.length === 0) yield at.required('verbs must contain at least one value')
  else if (list.includes('*')) yield* star(at, list, 'verbs')
  else if (list.some((verb) => !verbs.includes(verb))) yield at.notSupported(list, verbs)
}

function* star(at: Path, list: readonly string[], what: string): Check {
  if (list.length > 1 && list.includes('*')) yield at.invalid(list, `if '*' is present, must not specify other ${what}`)
}

/** What a path that is no resource's may look like; a star stands for all that follows. */
function urlProblems(url: string): readonly string[] {
  if (url === '') return ['must not be empty']
  if (url === '/') return []
  if (!url.startsWith('/')) return ['must start with slash']
  if (url.includes(' ')) return ['must not contain white-space']
  if (url.includes('//')) return ['must not contain double slash']
  return /^[^*]*(\/\*)?$/.test(url) ? [] : ['wildcard can only do suffix matching']
}

const kinds = { Group: 'group', ServiceAccount: 'serviceAccount', User: 'user' } as const

function* account(at: Path, { name, namespace }: flowcontrol.ServiceAccountSubject): Check {
  if (name && name !== '*') yield* follows(at.at('name'), name, dns1123Subdomain)
  if (!namespace) yield at.at('namespace').required('must specify namespace for service account')
  else yield* follows(at.at('namespace'), namespace, dns1123Label)
}

function* statusErrors({ status }: flowcontrol.FlowSchema): Check {
  const at = path('status').at('conditions')
  yield* forEach(at, status.conditions, (condition, place) => (condition.type ? [] : [place.at('type').required('must not be empty')]))
  yield* distinct(at, status.conditions, (condition) => condition.type, 'type')
}

const missing = ({ status }: flowcontrol.FlowSchema): string =>
  (({ True: 'True', False: 'False' }) as Record<string, string>)[status.conditions?.find((c) => c.type === 'Dangling')?.status ?? ''] ?? '?'

export const flowschemas: Strategy<flowcontrol.FlowSchema> = {
  default: withDefaults,
  unconditionalUpdate: false,
  validate: (schema) => [...validate(schema)],
  validateStatusUpdate: (schema) => [...statusErrors(schema)],
  printer: printer<flowcontrol.FlowSchema>(
    nameColumn,
    text('PriorityLevel', 'The level its requests have.', (o) => o.spec.priorityLevelConfiguration.name),
    integer('MatchingPrecedence', 'Lower ones are tried first.', (o) => o.spec.matchingPrecedence),
    text('DistinguisherMethod', 'How its requests are told apart.', (o) => o.spec.distinguisherMethod?.type ?? '<none>'),
    ageColumn,
    text('MissingPL', 'Whether its level does not exist.', missing),
  ),
}
