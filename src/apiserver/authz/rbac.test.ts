import { describe, expect, it } from 'vitest'
import type { rbac } from '../../api/index.ts'
import { createAuthorizer, mastersMode, refusal, type Action } from './authorizer.ts'
import { publicMode, publicUntil } from './public.ts'
import { createRbacIndex } from './rbac.ts'
import { createRbacMode } from './rbac-source.ts'

const action = (verb: string, resource: string, more: Partial<Action> = {}): Action => {
  const [plural = '', subresource = ''] = resource.split('/')
  return { isResourceRequest: true, path: '', verb, group: '', version: 'v1', namespace: 'default', resource: plural, subresource, name: '', ...more }
}
const visit = (path: string, verb = 'get'): Action => ({ ...action(verb, ''), isResourceRequest: false, path, namespace: '' })
const ana = { name: 'ana', groups: ['devs', 'system:authenticated'] }
const rule = (verbs: string[], resources: string[], more: Partial<rbac.PolicyRule> = {}): rbac.PolicyRule => ({ verbs, apiGroups: [''], resources, ...more })
const binding = (role: string, subjects: rbac.Subject[], kind = 'ClusterRole'): rbac.RoleBinding => ({
  kind: 'RoleBinding', apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'b' }, subjects, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: role },
})
const user = (name: string): rbac.Subject => ({ kind: 'User', name })

function indexWith(rules: rbac.PolicyRule[], subject: rbac.Subject, namespace = '') {
  const index = createRbacIndex()
  index.setRole('', 'r', rules)
  index.setBinding(namespace, 'b', binding('r', [subject]))
  return (a: Action, who = ana) => index.authorize(who, a).opinion === 'allow'
}

describe('rules', () => {
  it('covers the verbs, groups and resources they name, and nothing else', () => {
    const may = indexWith([rule(['get', 'list'], ['pods'])], user('ana'))
    expect(may(action('get', 'pods'))).toBe(true)
    expect(may(action('delete', 'pods'))).toBe(false)
    expect(may(action('get', 'secrets'))).toBe(false)
    expect(may(action('get', 'pods', { group: 'metrics.k8s.io' }))).toBe(false)
    expect(may(action('get', 'pods/log'))).toBe(false)
  })

  it('covers subresources by name, by any parent, and by star', () => {
    expect(indexWith([rule(['get'], ['pods/log'])], user('ana'))(action('get', 'pods/log'))).toBe(true)
    const scale = indexWith([rule(['get'], ['*/scale'], { apiGroups: ['*'] })], user('ana'))
    expect(scale(action('get', 'deployments/scale', { group: 'apps' }))).toBe(true)
    expect(scale(action('get', 'deployments', { group: 'apps' }))).toBe(false)
    expect(indexWith([rule(['*'], ['*'])], user('ana'))(action('create', 'pods/exec'))).toBe(true)
  })

  it('with resource names covers only objects of these names, and no list', () => {
    const may = indexWith([rule(['get', 'list'], ['configmaps'], { resourceNames: ['a'] })], user('ana'))
    expect(may(action('get', 'configmaps', { name: 'a' }))).toBe(true)
    expect(may(action('get', 'configmaps', { name: 'b' }))).toBe(false)
    expect(may(action('list', 'configmaps'))).toBe(false)
  })

  it('covers paths, with a star for any ending', () => {
    const may = indexWith([{ verbs: ['get'], nonResourceURLs: ['/metrics', '/logs/*'] }], user('ana'))
    expect(may(visit('/metrics'))).toBe(true)
    expect(may(visit('/metrics/x'))).toBe(false)
    expect(may(visit('/logs/a/b'))).toBe(true)
    expect(may(visit('/logs/a', 'post'))).toBe(false)
  })
})

describe('bindings', () => {
  it('reach users, groups and service accounts', () => {
    const read = [rule(['get'], ['pods'])]
    expect(indexWith(read, { kind: 'Group', name: 'devs' })(action('get', 'pods'))).toBe(true)
    expect(indexWith(read, { kind: 'Group', name: 'ops' })(action('get', 'pods'))).toBe(false)
    const account = indexWith(read, { kind: 'ServiceAccount', name: 'app', namespace: 'x' })
    expect(account(action('get', 'pods'), { name: 'system:serviceaccount:x:app', groups: [] })).toBe(true)
    expect(account(action('get', 'pods'), { name: 'system:serviceaccount:y:app', groups: [] })).toBe(false)
  })
  it('reach accounts of their own namespace when they name none', () => {
    const read = [rule(['get'], ['pods'])]
    const here = indexWith(read, { kind: 'ServiceAccount', name: 'app' }, 'default')
    expect(here(action('get', 'pods'), { name: 'system:serviceaccount:default:app', groups: [] })).toBe(true)
    expect(here(action('get', 'pods'), { name: 'system:serviceaccount:other:app', groups: [] })).toBe(false)
    const everywhere = indexWith(read, { kind: 'ServiceAccount', name: 'app' })
    expect(everywhere(action('get', 'pods'), { name: 'system:serviceaccount:default:app', groups: [] })).toBe(false)
  })

  it('of a namespace give nothing outside it', () => {
    const may = indexWith([rule(['get'], ['pods'])], user('ana'), 'default')
    expect(may(action('get', 'pods'))).toBe(true)
    expect(may(action('get', 'pods', { namespace: 'kube-system' }))).toBe(false)
    expect(may(action('get', 'pods', { namespace: '' }))).toBe(false)
  })

  it('to a role of a namespace do not find a role of the same name elsewhere', () => {
    const index = createRbacIndex()
    index.setRole('other', 'r', [rule(['get'], ['pods'])])
    index.setBinding('default', 'b', binding('r', [user('ana')], 'Role'))
    expect(index.authorize(ana, action('get', 'pods')).opinion).toBe('none')
    index.setRole('default', 'r', [rule(['get'], ['pods'])])
    expect(index.authorize(ana, action('get', 'pods')).opinion).toBe('allow')
  })

  it('end when they are changed or deleted', () => {
    const index = createRbacIndex()
    index.setRole('', 'r', [rule(['get'], ['pods'])])
    index.setBinding('', 'b', binding('r', [user('ana')]))
    index.setBinding('', 'b', binding('r', [user('bob')]))
    expect(index.authorize(ana, action('get', 'pods')).opinion).toBe('none')
    expect(index.authorize({ name: 'bob', groups: [] }, action('get', 'pods')).opinion).toBe('allow')
    index.setBinding('', 'b', undefined)
    expect(index.authorize({ name: 'bob', groups: [] }, action('get', 'pods')).opinion).toBe('none')
  })
})

it('looks at none of ten thousand bindings of others', () => {
  const index = createRbacIndex()
  index.setRole('', 'r', [rule(['get'], ['pods'])])
  for (let i = 0; i < 10_000; i++) index.setBinding('', `b${i}`, binding('r', [user(`user-${i}`)]))
  let looked = 0
  for (const found of index.rules(ana, 'default')) looked += found ? 1 : 0
  expect(looked).toBe(0)
  expect([...index.rules({ name: 'user-7', groups: [] }, 'default')]).toHaveLength(1)
})

describe('the mode over live objects', () => {
  const source = <T>(items: T[]) => ({ items, at: 0, list() { return this.items }, revision() { return this.at }, since: () => undefined })

  it('follows what is created, changed and deleted, from one check to the next', () => {
    const role = (rules: rbac.PolicyRule[]): rbac.ClusterRole => ({ kind: 'ClusterRole', apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'r' }, rules })
    const clusterRoles = source<rbac.ClusterRole>([role([])])
    const roleBindings = source<rbac.RoleBinding>([])
    const mode = createRbacMode({ roles: source<rbac.Role>([]), clusterRoles, roleBindings, clusterRoleBindings: source<rbac.ClusterRoleBinding>([]) })
    const may = () => (mode.authorize(ana, action('get', 'pods')) as { opinion: string }).opinion === 'allow'
    expect(may()).toBe(false)
    Object.assign(clusterRoles, { items: [role([rule(['get'], ['pods'])])], at: 1 })
    Object.assign(roleBindings, { items: [{ ...binding('r', [user('ana')]), metadata: { name: 'b', namespace: 'default' } }], at: 2 })
    expect(may()).toBe(true)
    Object.assign(roleBindings, { items: [], at: 3 })
    expect(may()).toBe(false)
  })
})

describe('the authorizer', () => {
  const authorizer = createAuthorizer([mastersMode, publicMode])

  it('lets masters do everything, whatever the roles', async () => {
    await expect(authorizer.authorize({ name: 'root', groups: ['system:masters'] }, action('delete', 'nodes', { namespace: '' }))).resolves.toBeUndefined()
  })

  it('shows anonymous health and version only, and everybody else discovery', async () => {
    const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
    const may = async (who: typeof ana, path: string) => (await authorizer.decide(who, visit(path))).opinion === 'allow'
    expect(await may(anonymous, '/readyz')).toBe(true)
    expect(await may(anonymous, '/version')).toBe(true)
    expect(await may(anonymous, '/apis')).toBe(false)
    expect(await may(anonymous, '/metrics')).toBe(false)
    expect(await may(ana, '/apis/apps/v1')).toBe(true)
    expect(await may(ana, '/metrics')).toBe(false)
  })

  it('leaves it to the roles, once there are any, what everybody may see; health stays', async () => {
    let roles = false
    const later = createAuthorizer([publicUntil(() => roles)])
    const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
    const may = async (who: typeof ana, path: string) => (await later.decide(who, visit(path))).opinion === 'allow'
    expect([await may(anonymous, '/version'), await may(ana, '/apis'), await may(anonymous, '/readyz')]).toEqual([true, true, true])
    roles = true
    expect([await may(anonymous, '/version'), await may(ana, '/apis'), await may(anonymous, '/readyz')]).toEqual([false, false, true])
  })

  it('refuses in the words that kubectl users know', () => {
    const text = (a: Action) => refusal(ana, a, '').message
    expect(text(action('list', 'pods'))).toBe('pods is forbidden: User "ana" cannot list resource "pods" in API group "" in the namespace "default"')
    expect(text(action('get', 'deployments', { group: 'apps', name: 'x' }))).toBe('deployments.apps "x" is forbidden: User "ana" cannot get resource "deployments" in API group "apps" in the namespace "default"')
    expect(text(action('get', 'pods/log', { name: 'x' }))).toBe('pods "x" is forbidden: User "ana" cannot get resource "pods/log" in API group "" in the namespace "default"')
    expect(text(action('list', 'nodes', { namespace: '' }))).toBe('nodes is forbidden: User "ana" cannot list resource "nodes" in API group "" at the cluster scope')
    expect(text(visit('/metrics'))).toBe('forbidden: User "ana" cannot get path "/metrics"')
  })
})
