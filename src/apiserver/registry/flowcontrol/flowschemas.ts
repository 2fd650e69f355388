/** Flow schemas: which requests share which level of priority. */
import { flowcontrol as resources, type flowcontrol } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { mandatorySchemas } from '../../flowcontrol/objects.ts'
import type { Strategy } from '../../strategy.ts'
import { distinct, follows, forEach } from '../checks.ts'
import { complete } from './fixed.ts'
import { within } from '../defaulting.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

const withDefaults = (schema: flowcontrol.FlowSchema): flowcontrol.FlowSchema =>
  within(schema, 'spec', (spec) => (spec.matchingPrecedence === 0 ? { ...spec, matchingPrecedence: 1000 } : spec))

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const methods = ['ByNamespace', 'ByUser']

function validate({ metadata, spec }: flowcontrol.FlowSchema, root: Place): void {
  const at = root.at('spec')
  const precedence = spec.matchingPrecedence
  if (precedence <= 0) at.at('matchingPrecedence').invalid(precedence, 'must be a positive value')
  if (precedence > 10000) at.at('matchingPrecedence').invalid(precedence, 'must not be greater than 10000')
  if (precedence === 1 && metadata.name !== 'exempt') at.at('matchingPrecedence').invalid(precedence, 'only the schema named \'exempt\' may have matchingPrecedence 1')
  const method = spec.distinguisherMethod
  if (method && !methods.includes(method.type)) at.at('distinguisherMethod').at('type').notSupported({ Type: method.type }, methods)
  const level = at.at('priorityLevelConfiguration').at('name')
  if (!spec.priorityLevelConfiguration.name) level.required('must reference a priority level')
  else follows(level, spec.priorityLevelConfiguration.name, dns1123Subdomain)
  forEach(at.at('rules'), spec.rules, rule)
  const fixed = mandatorySchemas.find(({ name }) => name === metadata.name)
  if (fixed && !deepEqual(spec, complete(resources.flowschemas, fixed))) at.invalid(spec, `spec of '${fixed.name}' must equal the fixed value`)
}

function rule(value: flowcontrol.PolicyRulesWithSubjects, at: Place): void {
  if (value.subjects.length === 0) at.at('subjects').required('subjects must contain at least one value')
  if (!value.resourceRules?.length && !value.nonResourceRules?.length) at.required('at least one of resourceRules and nonResourceRules has to be non-empty')
  forEach(at.at('subjects'), value.subjects, (subject, place) => {
    const mine = kinds[subject.kind as keyof typeof kinds]
    if (!mine) return place.at('kind').notSupported(subject.kind, Object.keys(kinds).toSorted())
    const value = subject[mine]
    if (!value) place.at(mine).required(`${mine} is required when subject kind is '${subject.kind}'`)
    else if (!value.name) place.at(mine).at('name').required()
    if (subject.kind === 'ServiceAccount' && subject.serviceAccount) account(place.at('serviceAccount'), subject.serviceAccount)
    for (const [kind, name] of Object.entries(kinds)) {
      if (name !== mine && subject[name]) place.at(name).forbidden(`${name} is forbidden when subject kind is not '${kind}'`)
    }
  })
  forEach(at.at('resourceRules'), value.resourceRules, (r, place) => {
    someVerbs(place.at('verbs'), r.verbs)
    if (r.apiGroups.length === 0) place.at('apiGroups').required('resource rules must supply at least one api group')
    star(place.at('apiGroups'), r.apiGroups, 'api groups')
    if (r.resources.length === 0) place.at('resources').required('resource rules must supply at least one resource')
    star(place.at('resources'), r.resources, 'resources')
    if (r.namespaces.length === 0 && !r.clusterScope) place.at('namespaces').required('resource rules that are not cluster scoped must supply at least one namespace')
    else if (r.namespaces.includes('*')) star(place.at('namespaces'), r.namespaces, 'namespaces')
    else {
      forEach(place.at('namespaces'), r.namespaces, (name, here) => follows(here, name, (text) => dns1123Label(text).map((why) => `each member of this list must be '*' or a DNS-1123 label; ${why}`)))
    }
  })
  forEach(at.at('nonResourceRules'), value.nonResourceRules, (r, place) => {
    someVerbs(place.at('verbs'), r.verbs)
    if (r.nonResourceURLs.length === 0) place.at('nonResourceURLs').required('nonResourceURLs must contain at least one value')
    else if (r.nonResourceURLs.includes('*')) star(place.at('nonResourceURLs'), r.nonResourceURLs, 'non-resource URLs')
    else forEach(place.at('nonResourceURLs'), r.nonResourceURLs, (url, here) => follows(here, url, urlProblems))
  })
}

function someVerbs(at: Place, list: readonly string[]): void {
  if (list.length === 0) at.required('verbs must contain at least one value')
  else if (list.includes('*')) star(at, list, 'verbs')
  else if (list.some((verb) => !verbs.includes(verb))) at.notSupported(list, verbs)
}

function star(at: Place, list: readonly string[], what: string): void {
  if (list.length > 1 && list.includes('*')) at.invalid(list, `if '*' is present, must not specify other ${what}`)
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

/** In the order in which what does not belong to a kind is named. */
const kinds = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function account(at: Place, { name, namespace }: flowcontrol.ServiceAccountSubject): void {
  if (name && name !== '*') follows(at.at('name'), name, dns1123Subdomain)
  if (!namespace) at.at('namespace').required('must specify namespace for service account')
  else follows(at.at('namespace'), namespace, dns1123Label)
}

function statusErrors({ status }: flowcontrol.FlowSchema, root: Place): void {
  const at = root.at('status').at('conditions')
  forEach(at, status.conditions, (condition, place) => {
    if (!condition.type) place.at('type').required('must not be empty')
  })
  distinct(at, status.conditions, (condition) => condition.type, 'type')
}

const missing = ({ status }: flowcontrol.FlowSchema): string =>
  status.conditions?.find((c) => c.type === 'Dangling')?.status ?? '?'

const columns = printer<flowcontrol.FlowSchema>(
  nameColumn,
  text('PriorityLevel', 'The level its requests have.', (o) => o.spec.priorityLevelConfiguration.name),
  text('MatchingPrecedence', 'Lower ones are tried first.', (o) => o.spec.matchingPrecedence),
  text('DistinguisherMethod', 'How its requests are told apart.', (o) => o.spec.distinguisherMethod?.type ?? '<none>'),
  ageColumn,
  text('MissingPL', 'Whether its level does not exist.', missing),
)

/** Lists show schemas in the order in which they are tried. */
const asTried = (a: flowcontrol.FlowSchema, b: flowcontrol.FlowSchema): number =>
  a.spec.matchingPrecedence - b.spec.matchingPrecedence || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)

export const flowschemas: Strategy<flowcontrol.FlowSchema> = {
  default: withDefaults,
  statusOnly: true,
  validate,
  validateStatusUpdate: (next, _current, root) => statusErrors(next, root),
  printer: { ...columns, order: asTried },
}
