/**
 * Who defines a policy with parameters, or binds some to it, must be allowed to read them: an expression, and what it says when it refuses,
 * would show them otherwise.
 */
import { admissionregistration } from '../../../api/index.ts'
import { invalid } from '../../../machinery/errors.ts'
import { path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { Lister, ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'

type Kind = admissionregistration.ParamKind
type Ref = admissionregistration.ParamRef
interface Policy { readonly spec: { readonly paramKind?: Kind | undefined } }
interface Binding { readonly spec: { readonly policyName?: string | undefined; readonly paramRef?: Ref | undefined } }

/** Plurals of bindings to where their policies are. */
type Policies = Readonly<Record<string, Lister<Policy> | undefined>>

const anyKind: Kind = { apiVersion: '*/*', kind: '*' }

export function policyParams(env: Pick<ServerEnvironment, 'lister' | 'resources'>, authorizer: Authorizer): AdmissionPlugin {
  const policies: Policies = {
    validatingadmissionpolicybindings: env.lister(admissionregistration.validatingadmissionpolicies) as Lister<Policy>,
    mutatingadmissionpolicybindings: env.lister(admissionregistration.mutatingadmissionpolicies) as Lister<Policy>,
  }
  const resourceOf = ({ apiVersion, kind }: Kind) => env.resources().find((r) => r.apiVersion === apiVersion && r.kind === kind && r.verbs.includes('get'))?.plural
  /** Whether the user may read what a kind names; a kind that is not known stands for all resources of its version. */
  const may = async (a: AdmissionAttributes, kind: Kind, verb: string, namespace: string, name: string) => {
    const [version = '', group = ''] = (kind.apiVersion ?? '').split('/').toReversed()
    return (await authorizer.decide(a.context.user, { isResourceRequest: true, path: '', verb, group, version, resource: resourceOf(kind) ?? '*', subresource: '', namespace, name })).opinion === 'allow'
  }
  const checkPolicy = async (a: AdmissionAttributes) => {
    const { paramKind } = (a.object as unknown as Policy).spec
    const before = (a.old as unknown as Policy | undefined)?.spec.paramKind
    if (!paramKind || deepEqual(before, paramKind) || (await may(a, paramKind, 'get', '*', '*'))) return
    throw refusal(a, 'paramKind', `user ${a.context.user.name} must have "get" permission on all objects of the referenced paramKind (kind=${paramKind.kind}, apiVersion=${paramKind.apiVersion})`)
  }
  const checkBinding = async (a: AdmissionAttributes) => {
    const { paramRef, policyName = '' } = (a.object as unknown as Binding).spec
    const before = (a.old as unknown as Binding | undefined)?.spec
    // The same reference is to something else when another policy says of what kind it is.
    if (!paramRef || (before?.policyName === policyName && deepEqual(before.paramRef, paramRef))) return
    const policy = policies[a.resource.plural]?.get('', policyName)
    const verb = paramRef.name ? 'get' : 'list'
    // Without a namespace it is about all of them, without a name about every object.
    if (await may(a, policy?.spec.paramKind ?? anyKind, verb, paramRef.namespace ?? '', paramRef.name ?? '')) return
    const { name } = a.context.user
    const all = `to determine minimum required permissions and user ${name} does not have "${verb}" permission for all groups, versions and resources`
    if (!policy) throw refusal(a, 'paramRef', `unable to get policy ${policyName} ${all}`)
    const { paramKind } = policy.spec
    if (paramKind && !resourceOf(paramKind)) throw refusal(a, 'paramRef', `unable to resolve paramKind ${paramKind.apiVersion}, Kind=${paramKind.kind} ${all}`)
    throw refusal(a, 'paramRef', `user ${name} does not have "${verb}" permission on the object referenced by paramRef`)
  }
  return {
    name: 'PolicyParams',
    handles: (a) => a.resource.group === 'admissionregistration.k8s.io' && a.resource.plural.includes('admissionpolic') && a.subresource === ''
      && (a.operation === 'CREATE' || a.operation === 'UPDATE') && !a.context.user.groups.includes('system:masters'),
    validate: (a) => (a.resource.plural.endsWith('bindings') ? checkBinding(a) : checkPolicy(a)),
  }
}

const refusal = (a: AdmissionAttributes, field: string, why: string) => invalid(a.resource, a.name, [path('spec').at(field).forbidden(why)])
