import { describe, expect, it } from 'vitest'
import { parseRequestInfo } from '../http/request-info.ts'
import { parsePolicy } from './policy.ts'

const head = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n'
const ana = { name: 'ana', groups: ['devs', 'system:authenticated'] }
const info = (method: string, path: string) => parseRequestInfo(method, path, new URLSearchParams())
const level = (rules: string, method: string, path: string, user = ana) => parsePolicy(`${head}rules:\n${rules}`).evaluate(user, info(method, path))?.level ?? 'None'

describe('the first rule that fits decides', () => {
  it('about users, groups and verbs', () => {
    const rules = '- {level: Metadata, users: [bob]}\n- {level: Request, userGroups: [devs], verbs: [create, update]}\n'
    expect(level(rules, 'GET', '/api/v1/pods')).toBe('None')
    expect(level(rules, 'GET', '/api/v1/pods', { name: 'bob', groups: [] })).toBe('Metadata')
    expect(level(rules, 'POST', '/api/v1/namespaces/x/pods')).toBe('Request')
    expect(level(`- {level: None, userGroups: [devs]}\n${rules}`, 'POST', '/api/v1/namespaces/x/pods')).toBe('None')
  })

  it('about resources, their subresources, names and namespaces', () => {
    const rule = (resources: string, rest = '') => `- {level: Metadata, resources: [${resources}]${rest}}\n`
    expect(level(rule('{group: "", resources: [pods]}'), 'GET', '/api/v1/namespaces/x/pods/a')).toBe('Metadata')
    expect(level(rule('{group: "", resources: [pods]}'), 'GET', '/api/v1/namespaces/x/pods/a/log')).toBe('None')
    expect(level(rule('{group: "", resources: [pods/log]}'), 'GET', '/api/v1/namespaces/x/pods/a/log')).toBe('Metadata')
    expect(level(rule('{group: "", resources: ["pods/*"]}'), 'GET', '/api/v1/namespaces/x/pods/a/log')).toBe('Metadata')
    expect(level(rule('{group: apps, resources: ["*/scale"]}'), 'PUT', '/apis/apps/v1/namespaces/x/deployments/a/scale')).toBe('Metadata')
    expect(level(rule('{group: apps}'), 'GET', '/apis/apps/v1/namespaces/x/deployments/a')).toBe('Metadata')
    expect(level(rule('{group: apps}'), 'GET', '/api/v1/namespaces/x/pods/a')).toBe('None')
    expect(level(rule('{group: "", resources: [configmaps], resourceNames: [a]}'), 'GET', '/api/v1/namespaces/x/configmaps/b')).toBe('None')
    expect(level(rule('{group: ""}', ', namespaces: [ns]'), 'GET', '/api/v1/namespaces/x/pods')).toBe('None')
    expect(level('- {level: Metadata, namespaces: [""]}\n', 'GET', '/api/v1/nodes')).toBe('Metadata')
  })

  it('about paths that are no resources', () => {
    expect(level('- {level: Metadata, nonResourceURLs: ["/healthz*", /version]}\n', 'GET', '/healthz/ping')).toBe('Metadata')
    expect(level('- {level: Metadata, nonResourceURLs: ["/healthz*", /version]}\n', 'GET', '/versions')).toBe('None')
    expect(level('- {level: Metadata, nonResourceURLs: ["*"]}\n', 'GET', '/api/v1/pods')).toBe('None')
  })

  it('stages left out by the policy and by the rule add up; a rule overrules the policy about managed fields', () => {
    const policy = parsePolicy(`${head}omitStages: [RequestReceived]\nomitManagedFields: true\nrules:\n- {level: Request, verbs: [get], omitStages: [Panic], omitManagedFields: false}\n- level: Metadata\n`)
    expect(policy.evaluate(ana, info('GET', '/api/v1/namespaces/x/pods/a'))).toEqual({ level: 'Request', omitStages: new Set(['RequestReceived', 'Panic']), omitManagedFields: false })
    expect(policy.evaluate(ana, info('GET', '/version'))).toMatchObject({ level: 'Request' })
    expect(policy.evaluate(ana, info('DELETE', '/api/v1/namespaces/x/pods/a'))).toMatchObject({ level: 'Metadata', omitManagedFields: true })
  })
})

describe('a file that is wrong is refused, and the error says where', () => {
  const refused = (text: string) => { try { parsePolicy(text) } catch (error) { return (error as Error).message } return 'taken' }
  it.each([
    ['rules: [', /^line \d+: /],
    [`${head}rules: []`, 'a policy without rules would write nothing down: it needs at least one'],
    ['apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: [{level: None}]', 'it must say apiVersion: audit.k8s.io/v1, kind: Policy, and says apiVersion: audit.k8s.io/v1beta1, kind: Policy'],
    [`${head}rules:\n- level: Metadata\n  verb: [get]\n`, 'line 5: rules[0].verb: unknown field'],
    [`${head}rules:\n- level: Metadata\n  level: None\n`, /^line 5: .*unique/],
    [`${head}rules:\n- level: Metadata\n- level: Everything\n`, 'line 5: rules[1].level: Unsupported value: "Everything": supported values: "None", "Metadata", "Request", "RequestResponse"'],
    [`${head}rules:\n- verbs: get\n  level: None\n`, /^line 4: rules\[0\]\.verbs: json: cannot unmarshal string into Go struct field PolicyRule\.rules\.verbs of type \[\]string/],
    [`${head}rules:\n- level: None\n  omitStages: [Start]\n`, /^line 5: rules\[0\]\.omitStages\[0\]: Unsupported value: "Start"/],
    [`${head}rules:\n- level: None\n  nonResourceURLs: [healthz]\n`, /^line 5: .*must begin with/],
    [`${head}rules:\n- level: None\n  nonResourceURLs: [/a]\n  namespaces: [x]\n`, /cannot apply to both/],
    [`${head}rules:\n- level: None\n  resources: [{group: "", resourceNames: [a]}]\n`, /using resourceNames requires at least one resource/],
    ['just text', 'it must be an object of kind Policy'],
  ])('%#', (text, message) => {
    if (typeof message === 'string') expect(refused(text)).toBe(message)
    else expect(refused(text)).toMatch(message)
  })
})
