/** MutatingAdmissionPolicy: expressions that change what is written (https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/). */
import { admissionregistration, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Ask } from '../../../machinery/cel/index.ts'
import { ApiError, forbidden } from '../../../machinery/errors.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createAdmissionMetrics, type AdmissionMetrics, type PolicyError as PolicyMetricError } from '../metrics.ts'
import { patched } from '../patched.ts'
import { trackInvocations, type Tracker } from '../reinvocation.ts'
import { isExempt } from '../webhooks/match.ts'
import { loadCel, type Cel } from './cel.ts'
import { compileConditions, compileExpression, compileVariables, environmentOf, returnsObject, returnsPatch, type Compiled, type NamedExpression } from './compile.ts'
import { conditionsHold, timedConditions } from './conditions.ts'
import { errorOf } from './judge.ts'
import { conditionsBudget, createEvaluation, ExpressionFailure, policyBudget, withAnswers } from './evaluate.ts'
import { createHooks, type Hook } from './hooks.ts'
import { createInputs, inVersion, type Inputs } from './inputs.ts'
import { bindingMatches, policyMatches } from './matching.ts'
import { configurationMessage, ConfigurationError, createFindParams, type FindParams } from './params.ts'
import { changedBy, UnfitMutation } from './change.ts'

type Policy = admissionregistration.MutatingAdmissionPolicy
type Binding = admissionregistration.MutatingAdmissionPolicyBinding

export interface CompiledMutations {
  readonly cel: Cel
  readonly conditions: readonly NamedExpression[]
  readonly variables: readonly NamedExpression[]
  readonly mutations: readonly { readonly patchType: admissionregistration.PatchType; readonly expression: Compiled }[]
}

/** Everything in a policy, compiled; what is wrong with an expression stands in its place. */
export function compileMutations(cel: Cel, { spec }: Policy): CompiledMutations {
  const params = spec.paramKind !== undefined
  const { variables, type } = compileVariables(cel, spec.variables, { params, authorizer: true, mutation: true })
  const env = environmentOf(cel, { params, authorizer: true, variables: type, mutation: true })
  return {
    cel,
    conditions: compileConditions(cel, spec.matchConditions, params),
    variables,
    mutations: (spec.mutations ?? []).map(({ patchType, applyConfiguration, jsonPatch }) => ({
      patchType,
      expression: patchType === 'JSONPatch'
        ? compileExpression(cel, jsonPatch?.expression ?? '', env, returnsPatch)
        : compileExpression(cel, applyConfiguration?.expression ?? '', env, returnsObject),
    })),
  }
}

type PolicyHook = Hook<Policy, Binding, CompiledMutations>
type Environment = Pick<ServerEnvironment, 'lister' | 'resources' | 'complete' | 'client'>

/** The plugin MutatingAdmissionPolicy. */
export function mutatingAdmissionPolicy(env: Environment, authorizer: Authorizer, metrics: AdmissionMetrics = createAdmissionMetrics()): AdmissionPlugin {
  const inputs = createInputs(env, authorizer)
  const findParams = createFindParams(env)
  const hooks = createHooks<Policy, Binding, CompiledMutations>({
    policies: env.lister(admissionregistration.mutatingadmissionpolicies),
    bindings: env.lister(admissionregistration.mutatingadmissionpolicybindings),
    policyOf: (binding) => binding.spec.policyName,
    compile: async (policy) => compileMutations(await loadCel(), policy),
  })
  return {
    name: 'MutatingAdmissionPolicy',
    hearsOfAll: true,
    handles: (a) => a.object !== undefined && hooks.any() && !isExempt(a),
    async mutate(a) {
      const run: Run = { env, metrics, inputs, ask: inputs.ask(a), tracker: trackInvocations('policies', a, a.object), object: a.object as ApiObject, errors: [] }
      for (const invocation of await invocationsOf(await hooks.all(), a, inputs, findParams, run.errors)) await invoke(run, a, invocation)
      run.tracker.end(run.object)
      const counted = run.errors.filter(({ policy }) => policy.spec.failurePolicy !== 'Ignore')
      if (counted.length > 0) throw refusal(a, counted)
      return run.object
    },
  }
}

interface PolicyError { readonly policy: Policy; readonly binding?: Binding; readonly message: string; readonly invalid: boolean }

/** One run through all policies. */
interface Run {
  readonly env: Environment
  readonly metrics: AdmissionMetrics
  readonly inputs: Inputs
  readonly ask: Ask
  readonly tracker: Tracker
  readonly errors: PolicyError[]
  /** As the policies have it so far, in the version that admission works in. */
  object: ApiObject
}

/** A policy by one of its bindings, with one of its parameters. */
interface Invocation { readonly hook: PolicyHook; readonly binding: Binding; readonly matched: Resource; readonly params: ApiObject | null }

/** Who is invoked is decided by the request as it came, before any policy changes it. */
async function invocationsOf(hooks: readonly PolicyHook[], a: AdmissionAttributes, { labelsOf }: Inputs, findParams: FindParams, errors: PolicyError[]): Promise<readonly Invocation[]> {
  const all: Invocation[] = []
  for (const hook of hooks) {
    const { policy } = hook
    const matched = policyMatches(policy.spec.matchConstraints, a, labelsOf)
    if (!matched) continue
    for (const binding of hook.bindings) {
      if (!bindingMatches(binding.spec.matchResources, a, labelsOf)) continue
      try {
        for (const params of await findParams(policy.spec.paramKind, binding.spec.paramRef, a.namespace)) all.push({ hook, binding, matched, params })
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error
        errors.push({ policy, ...(error.ofPolicy ? {} : { binding }), message: configurationMessage(error), invalid: false })
        if (error.ofPolicy) break
      }
    }
  }
  return all
}

/** Evaluates one invocation, if its conditions hold; what fails goes to the errors, and the object stays. */
async function invoke(run: Run, a: AdmissionAttributes, { hook, binding, matched, params }: Invocation): Promise<void> {
  const { policy, compiled } = hook
  const { cel, conditions, variables, mutations } = compiled
  const key = `${policy.metadata.name}/${binding.metadata.name}/${params?.metadata.namespace ?? ''}/${params?.metadata.name ?? ''}`
  const inputsNow = async () => {
    const shown = await inVersion({ ...a, object: run.object }, matched)
    return { shown: shown.object as ApiObject, values: run.inputs.values(cel, shown, matched, params, run.ask) }
  }
  const fails = (error: unknown) => {
    const message = messageOf(error)
    if (message === undefined) throw error
    run.errors.push({ policy, binding, message, invalid: true })
  }
  try {
    const { values } = await inputsNow()
    const hold = (failures: string[]) => withAnswers(() => conditionsHold(createEvaluation(cel, values, [], conditionsBudget), conditions, failures))
    if (conditions.length > 0 && !(await timedConditions(run.metrics, { name: policy.metadata.name ?? '', kind: 'policy', type: 'validate' }, a.operation, hold))) return
  } catch (error) {
    return fails(error)
  }
  if (!run.tracker.asks(key)) return
  const before = run.object
  for (const { patchType, expression } of mutations) {
    const begun = performance.now()
    const count = (error: PolicyMetricError) => run.metrics.mutatingPolicy(policy.metadata.name ?? '', binding.metadata.name ?? '', error, (performance.now() - begun) / 1000)
    try {
      const { shown, values } = await inputsNow()
      const made = await withAnswers(() => cel.toJson(createEvaluation(cel, values, variables, policyBudget).run(expression)))
      const changed = changedBy(patchType, a.type ?? matched.type, shown, made, cel.writtenAt)
      if (changed !== shown) run.object = await patched(run.env, a, matched, changed)
      count('no_error')
    } catch (error) {
      count(error instanceof ExpressionFailure ? errorOf(error) : 'invalid_error')
      fails(error)
    }
  }
  run.tracker.asked(key, before !== run.object && !deepEqual(before, run.object), policy.spec.reinvocationPolicy === 'IfNeeded')
}

/** What a policy is told to have failed with; undefined for what is the server's own fault. */
function messageOf(error: unknown): string | undefined {
  if (error instanceof ExpressionFailure || error instanceof ConfigurationError || error instanceof UnfitMutation) return error.message
  if (error instanceof Error && error.name.startsWith('Cel')) return error.message
  return error instanceof ApiError && error.code < 500 && error.code !== 404 ? error.status.details?.causes?.[0]?.message ?? error.message : undefined
}

function refusal(a: AdmissionAttributes, errors: readonly PolicyError[]): ApiError {
  const said = errors.map(({ policy, binding, message }) => (binding
    ? `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`
    : `policy ${JSON.stringify(policy.metadata.name)} denied request: ${message}`))
  const { status } = forbidden(a.requested ?? a.resource, a.name, '')
  return new ApiError(403, errors[0]?.invalid ? 'Invalid' : 'Forbidden', said[0] as string, { ...status.details, causes: said.map((message) => ({ message })) })
}
