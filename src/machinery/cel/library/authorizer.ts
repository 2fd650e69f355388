/** Kubernetes's authorizer: `authorizer.group('').resource('pods').check('create').allowed()`, wherever a variable of its type is declared. */
import { dns1123Label, dns1123Subdomain } from '../../names.ts'
import { fail } from '../errors.ts'
import { fixed, method, type CallCost, type FunctionDeclaration } from '../functions.ts'
import { BOOL, STRING, opaque } from '../types.ts'
import { Boxed } from '../values.ts'

export const AUTHORIZER = opaque('kubernetes.authorization.Authorizer')
export const RESOURCE_CHECK = opaque('kubernetes.authorization.ResourceCheck')
const PATH_CHECK = opaque('kubernetes.authorization.PathCheck')
const GROUP_CHECK = opaque('kubernetes.authorization.GroupCheck')
const DECISION = opaque('kubernetes.authorization.Decision')

/** What an expression asks. `serviceAccount` asks for that account instead of the user of the request. */
export interface AuthorizationQuestion {
  readonly serviceAccount?: { readonly namespace: string; readonly name: string } | undefined
  readonly verb: string
  /** Of a path that is no resource; the rest is then left out. */
  readonly path?: string | undefined
  readonly group?: string | undefined
  readonly resource?: string | undefined
  readonly subresource?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly labelSelector?: string | undefined
}

export interface AuthorizationAnswer { readonly allowed: boolean; readonly reason: string; readonly error?: string | undefined }

/** Answers at once; what has to be waited for is thrown, and the expression evaluated again. */
export type Ask = (question: AuthorizationQuestion) => AuthorizationAnswer

type Partial = Omit<AuthorizationQuestion, 'verb'>

class Check extends Boxed {
  readonly typeName: string
  readonly ask: Ask
  readonly about: Partial
  constructor(typeName: string, ask: Ask, about: Partial) { super(); this.typeName = typeName; this.ask = ask; this.about = about }
}

class Decision extends Boxed {
  readonly typeName = 'kubernetes.authorization.Decision'
  readonly answer: AuthorizationAnswer
  constructor(answer: AuthorizationAnswer) { super(); this.answer = answer }
}

/** The value of a variable of type `AUTHORIZER`. */
export const authorizerValue = (ask: Ask): Boxed => new Check(AUTHORIZER.kind === 'opaque' ? AUTHORIZER.name : '', ask, {})
/** The value of a variable of type `RESOURCE_CHECK`: the resource of the request, `authorizer.requestResource`. */
export const resourceCheckValue = (ask: Ask, about: Partial): Boxed => new Check(RESOURCE_CHECK.kind === 'opaque' ? RESOURCE_CHECK.name : '', ask, about)

const name = (type: typeof AUTHORIZER): string => (type.kind === 'opaque' ? type.name : type.kind)
const narrowed = (check: Check, type: typeof AUTHORIZER, more: Partial): Check => new Check(name(type), check.ask, { ...check.about, ...more })
const needed = (what: string, text: string): string => (text.trim() === '' ? fail(`${what} must not be empty`) : text)

/** An authorization costs so much that an expression can afford two. */
const checkCost = fixed(350_000)
/** A selector is read, and may be as many requirements as every second character. */
const selector = (length: number): number => 10 + Math.ceil(length / 2) * 50 + Math.ceil(length * 0.1)
const selectorCost: CallCost = {
  runtime: ([, text]) => selector((text as string).length),
  estimate: ([, text = { min: 0, max: Infinity }]) => ({ min: selector(text.min), max: selector(text.max) }),
}
const check = (value: Check, verb: string): Decision => new Decision(value.ask({ ...value.about, verb }))

export const authorizer: readonly FunctionDeclaration[] = [
  method('path', 'authorizer_path', [AUTHORIZER, STRING], PATH_CHECK, (value: Check, path: string) => narrowed(value, PATH_CHECK, { path: needed('path', path) })),
  method('group', 'authorizer_group', [AUTHORIZER, STRING], GROUP_CHECK, (value: Check, group: string) => narrowed(value, GROUP_CHECK, { group })),
  method('serviceAccount', 'authorizer_serviceaccount', [AUTHORIZER, STRING, STRING], AUTHORIZER, (value: Check, namespace: string, account: string) => {
    if (dns1123Subdomain(account).length > 0) return fail('Invalid service account name')
    if (dns1123Label(namespace).length > 0) return fail('Invalid service account namespace')
    return narrowed(value, AUTHORIZER, { serviceAccount: { namespace, name: account } })
  }),
  method('resource', 'groupcheck_resource', [GROUP_CHECK, STRING], RESOURCE_CHECK, (value: Check, resource: string) => narrowed(value, RESOURCE_CHECK, { resource: needed('resource', resource) })),
  ...(['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const).map((part) =>
    method(part, `resourcecheck_${part}`, [RESOURCE_CHECK, STRING], RESOURCE_CHECK, (value: Check, text: string) => narrowed(value, RESOURCE_CHECK, { [part]: text }), part.endsWith('Selector') ? selectorCost : undefined)),
  method('check', 'pathcheck_check', [PATH_CHECK, STRING], DECISION, check, checkCost),
  method('check', 'resourcecheck_check', [RESOURCE_CHECK, STRING], DECISION, check, checkCost),
  method('allowed', 'decision_allowed', [DECISION], BOOL, ({ answer }: Decision) => answer.allowed),
  method('reason', 'decision_reason', [DECISION], STRING, ({ answer }: Decision) => answer.reason),
  method('errored', 'decision_errored', [DECISION], BOOL, ({ answer }: Decision) => answer.error !== undefined),
  method('error', 'decision_error', [DECISION], STRING, ({ answer }: Decision) => answer.error ?? ''),
]
