/** ValidatingAdmissionPolicy: expressions that must be true (https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/). */
import { admissionregistration, type Resource } from '../../../api/index.ts'
import { ApiError, forbidden } from '../../../machinery/errors.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createAdmissionMetrics, type AdmissionMetrics, type PolicyAction } from '../metrics.ts'
import { isExempt } from '../webhooks/match.ts'
import { loadCel, type Cel } from './cel.ts'
import { compileConditions, compileExpression, compileVariables, environmentOf, returnsBool, returnsString, returnsText, type Compiled, type NamedExpression } from './compile.ts'
import { createHooks, type Hook } from './hooks.ts'
import { createInputs, inVersion, type Inputs } from './inputs.ts'
import { bindingMatches, policyMatches } from './matching.ts'
import { configurationMessage, ConfigurationError, createFindParams, type FindParams } from './params.ts'
import { ExpressionFailure, withAnswers } from './evaluate.ts'
import { timedConditions } from './conditions.ts'
import { conditionsOf, failedWhole, judge, type Denial, type Verdict } from './judge.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy
type Binding = admissionregistration.ValidatingAdmissionPolicyBinding

export interface CompiledPolicy {
  readonly cel: Cel
  readonly conditions: readonly NamedExpression[]
  readonly variables: readonly NamedExpression[]
  readonly validations: readonly { readonly validation: admissionregistration.Validation; readonly expression: Compiled; readonly message: Compiled | undefined }[]
  readonly annotations: readonly { readonly key: string; readonly value: Compiled }[]
}

/** Everything in a policy, compiled; what is wrong with an expression stands in its place. */
export function compilePolicy(cel: Cel, { spec }: Policy): CompiledPolicy {
  const params = spec.paramKind !== undefined
  const { variables, type } = compileVariables(cel, spec.variables, { params, authorizer: true })
  const full = environmentOf(cel, { params, authorizer: true, variables: type })
  const messages = environmentOf(cel, { params, authorizer: false, variables: type })
  return {
    cel,
    conditions: compileConditions(cel, spec.matchConditions, params),
    variables,
    validations: (spec.validations ?? []).map((validation) => ({
      validation,
      expression: compileExpression(cel, validation.expression, full, returnsBool),
      message: validation.messageExpression ? compileExpression(cel, validation.messageExpression, messages, returnsString) : undefined,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({ key, value: compileExpression(cel, valueExpression, full, returnsText) })),
  }
}

/** The plugin ValidatingAdmissionPolicy. */
export function validatingAdmissionPolicy(env: Pick<ServerEnvironment, 'lister' | 'resources' | 'client'>, authorizer: Authorizer, metrics: AdmissionMetrics = createAdmissionMetrics()): AdmissionPlugin {
  const inputs = createInputs(env, authorizer)
  const findParams = createFindParams(env)
  const hooks = createHooks<Policy, Binding, CompiledPolicy>({
    policies: env.lister(admissionregistration.validatingadmissionpolicies),
    bindings: env.lister(admissionregistration.validatingadmissionpolicybindings),
    policyOf: (binding) => binding.spec.policyName,
    compile: async (policy) => compilePolicy(await loadCel(), policy),
  })
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: (a) => hooks.any() && !isExempt(a),
    async validate(a) {
      const refusals: Refusal[] = []
      for (const hook of await hooks.all()) await apply({ hook, inputs, findParams, metrics, refusals }, a)
      if (refusals[0]) throw refusal(a, refusals[0])
    },
  }
}

interface Refusal { readonly policy: Policy; readonly binding?: Binding; readonly message: string; readonly reason?: string | undefined }

type PolicyHook = Hook<Policy, Binding, CompiledPolicy>

interface Application { readonly hook: PolicyHook; readonly inputs: Inputs; readonly findParams: FindParams; readonly metrics: AdmissionMetrics; readonly refusals: Refusal[] }

/** One policy, through all its bindings; the first refusal of all is what the client gets. */
async function apply(application: Application, a: AdmissionAttributes): Promise<void> {
  const { hook: { policy, bindings }, inputs, refusals } = application
  const matched = policyMatches(policy.spec.matchConstraints, a, inputs.labelsOf)
  if (!matched) return
  const collected = new Map<string, Set<string>>()
  let shown: AdmissionAttributes | undefined
  for (const binding of bindings) {
    if (!bindingMatches(binding.spec.matchResources, a, inputs.labelsOf)) continue
    try {
      shown ??= await inVersion(a, matched)
      for (const verdict of await verdicts(application, shown, matched, binding)) act(application, binding, verdict, a, collected)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      if (policy.spec.failurePolicy !== 'Ignore') refusals.push({ policy, ...(error.ofPolicy ? {} : { binding }), message: configurationMessage(error) })
      if (error.ofPolicy) break
    }
  }
  for (const [key, values] of collected) a.context.annotate(`${policy.metadata.name}/${key}`, [...values].join(', '))
}

/** What the policy says of the request, with each of the binding's parameters. */
async function verdicts({ hook, inputs, findParams, metrics }: Application, a: AdmissionAttributes, matched: Resource, binding: Binding): Promise<readonly Verdict[]> {
  const { policy: { metadata: { name = '' }, spec }, compiled } = hook
  const ask = inputs.ask(a)
  const strict = spec.failurePolicy !== 'Ignore'
  const all: Verdict[] = []
  for (const params of await findParams(spec.paramKind, binding.spec.paramRef, a.namespace)) {
    const values = inputs.values(compiled.cel, a, matched, params, ask)
    try {
      if (compiled.conditions.length > 0 && !(await timedConditions(metrics, { name, kind: 'policy', type: 'validate' }, a.operation, (failures) => withAnswers(() => conditionsOf(compiled, values, failures))))) continue
    } catch (error) {
      if (!(error instanceof ExpressionFailure)) throw error
      if (strict) all.push(failedWhole(error, strict))
      continue
    }
    all.push(await withAnswers(() => judge(compiled, values, strict)))
  }
  return all
}

const longestAnnotation = 10 * 1024

/** What the binding wants to come of a verdict. */
function act({ hook: { policy }, metrics, refusals }: Application, binding: Binding, verdict: Verdict, a: AdmissionAttributes, collected: Map<string, Set<string>>): void {
  const { name = '' } = policy.metadata
  const by = binding.metadata.name ?? ''
  const actions = binding.spec.validationActions ?? []
  const count = ({ error, seconds }: Denial, action: PolicyAction) => metrics.validatingPolicy(name, by, error, action, seconds)
  for (const ignored of verdict.ignored) count(ignored, 'allow')
  for (const denial of verdict.denials) {
    const { message, reason, index } = denial
    for (const action of actions) {
      if (action === 'Deny') refusals.push({ policy, binding, message, reason })
      if (action === 'Warn') a.context.warn(`Validation failed for ValidatingAdmissionPolicy '${name}' with binding '${by}': ${message}`)
      if (action === 'Audit') {
        const failure = { message, policy: name, binding: by, expressionIndex: index, validationActions: actions }
        a.context.annotate('validation.policy.admission.k8s.io/validation_failure', JSON.stringify([failure]))
      }
      count(denial, action.toLowerCase() as PolicyAction)
    }
  }
  for (const { key, value } of verdict.annotations) {
    const text = Buffer.byteLength(value) > longestAnnotation ? Buffer.from(value).subarray(0, longestAnnotation).toString() : value
    collected.set(key, (collected.get(key) ?? new Set()).add(text))
  }
  for (const failure of verdict.failures) {
    refusals.push({ policy, binding, message: failure.message })
    count(failure, 'deny')
  }
}

const codes: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 }

function refusal(a: AdmissionAttributes, { policy, binding, message, reason = 'Invalid' }: Refusal): ApiError {
  const said = `ValidatingAdmissionPolicy '${policy.metadata.name}'${binding ? ` with binding '${binding.metadata.name}'` : ''} denied request: ${message}`
  const { status } = forbidden(a.requested ?? a.resource, a.name, said)
  return new ApiError(codes[reason] ?? 422, reason, status.message, { ...status.details, causes: [{ message: said }] })
}
