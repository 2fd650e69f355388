/** Mistakes in a policy that only show when the kinds it is about are known: fields that are not there, types that do not fit. */
import type { admissionregistration, Resource } from '../../../api/index.ts'
import type { CelType } from '../../../machinery/cel/index.ts'
import type { Cel } from './cel.ts'
import { compileExpression, compileVariables, environmentOf, returnsAnything, type Scope } from './compile.ts'
import { celTypeOf } from './schema-types.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy
type Warning = admissionregistration.ExpressionWarning

/** Policies may be about all kinds there are: no more of them than this are looked at. */
const mostKinds = 10

/** The kinds that the rules of a policy name one by one, in order; what has a wildcard, or is a subresource, names none. */
function kindsOf({ spec }: Policy, resources: readonly Resource[]): readonly Resource[] {
  const wild = (list: readonly string[]) => list.some((one) => one.includes('*'))
  const named = (spec.matchConstraints?.resourceRules ?? []).flatMap(({ apiGroups = [], apiVersions = [], resources: names = [] }) => {
    if (wild(apiGroups) || wild(apiVersions)) return []
    return resources.filter((r) => apiGroups.includes(r.group) && apiVersions.includes(r.version) && names.includes(r.plural))
  })
  return [...new Set(named)].slice(0, mostKinds).toSorted((a, b) => compare(a.group, b.group) || compare(a.version, b.version) || compare(a.kind, b.kind))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const nameOf = ({ group, version, kind }: Resource): string => `${group}/${version}, Kind=${kind}`

/** What is to be said of each expression, kind by kind. */
export function typeWarnings(cel: Cel, policy: Policy, resources: readonly Resource[]): readonly Warning[] {
  const { spec } = policy
  const params = paramsType(cel, spec.paramKind, resources)
  const checks = kindsOf(policy, resources).map((kind) => ({ name: nameOf(kind), check: checker(cel, spec, celTypeOf(cel, kind.type), params) }))
  const warning = (fieldRef: string, expression: string | undefined): readonly Warning[] => {
    if (!expression) return []
    const said = checks.flatMap(({ name, check }) => { const wrong = check(expression); return wrong ? [`${name}: ${wrong}\n`] : [] })
    return said.length > 0 ? [{ fieldRef, warning: said.join('\n') }] : []
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, i) =>
    [...warning(`spec.validations[${i}].expression`, expression), ...warning(`spec.validations[${i}].messageExpression`, messageExpression)])
}

function paramsType(cel: Cel, kind: admissionregistration.ParamKind | undefined, resources: readonly Resource[]): CelType | undefined {
  const found = kind && resources.find((r) => r.apiVersion === kind.apiVersion && r.kind === kind.kind)
  return found && celTypeOf(cel, found.type)
}

function checker(cel: Cel, spec: Policy['spec'], object: CelType, paramsType: CelType | undefined): (expression: string) => string | undefined {
  const scope: Scope = { params: spec.paramKind !== undefined, authorizer: true, object, paramsType }
  const { type } = compileVariables(cel, spec.variables, scope)
  const env = environmentOf(cel, { ...scope, variables: type })
  return (expression) => {
    const compiled = compileExpression(cel, expression, env, returnsAnything)
    return 'error' in compiled ? compiled.error.replace(/^compilation failed: /, '') : undefined
  }
}
