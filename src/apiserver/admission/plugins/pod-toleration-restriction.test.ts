import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { attributesOf, environment, type Wanted } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { parsePodTolerationRestriction, podTolerationRestriction } from './pod-toleration-restriction.ts'

const [added, only] = ['scheduler.alpha.kubernetes.io/defaultTolerations', 'scheduler.alpha.kubernetes.io/tolerationsWhitelist']
const head = 'apiVersion: podtolerationrestriction.admission.k8s.io/v1alpha1\nkind: Configuration\n'
interface Made { readonly spec: { readonly tolerations?: readonly object[] } }
type Given = { annotations?: Record<string, string>; config?: string; tolerations?: readonly object[]; requests?: Record<string, string>; wanted?: Wanted }

/** The pod's tolerations as they are stored, or why they are not. */
async function admitted({ annotations, config, tolerations, requests, wanted }: Given): Promise<unknown> {
  const plugin = podTolerationRestriction(environment({ kind: 'Namespace', metadata: { name: 'x', ...(annotations ? { annotations } : {}) } }), config === undefined ? undefined : parsePodTolerationRestriction(head + config))
  const chain = createAdmissionChain([plugin])
  const attributes = attributesOf(core.pods, { kind: 'Pod', metadata: { name: 'p', namespace: 'x' }, spec: { containers: [{ name: 'c', resources: requests ? { requests } : {} }], ...(tolerations ? { tolerations } : {}) } }, wanted)
  try {
    const made = await chain.mutate(attributes)
    await chain.validate({ ...attributes, object: made })
    return (made as unknown as Made).spec.tolerations
  } catch (error) {
    return isApiError(error) ? `${error.code} ${error.reason}${error.message}` : String(error)
  }
}
const exists = (key: string, more: object = {}) => ({ key, operator: 'Exists', ...more })
const memory = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }

describe('PodTolerationRestriction', () => {
  it('gives new pods the tolerations of the namespace, or the cluster\'s where it says nothing', async () => {
    const annotations = { [added]: JSON.stringify([exists('a')]) }
    expect(await admitted({ annotations, config: 'default: [{key: b, operator: Exists}]', tolerations: [exists('own')] })).toEqual([exists('own'), exists('a')])
    expect(await admitted({ config: 'default: [{key: b, operator: Exists}]' })).toEqual([exists('b')])
    expect(await admitted({ annotations: { [added]: '' }, config: 'default: [{key: b, operator: Exists}]' })).toBeUndefined()
    expect(await admitted({ annotations, wanted: { operation: 'UPDATE' } })).toBeUndefined()
  })

  it('keeps of two tolerations the wider one', async () => {
    const annotations = { [added]: JSON.stringify([exists('a'), { key: 'b', operator: 'Equal', value: '1', effect: 'NoExecute', tolerationSeconds: 30 }]) }
    expect(await admitted({ annotations, tolerations: [{ key: 'a', operator: 'Equal', value: '1', effect: 'NoSchedule' }, { key: 'b', operator: 'Equal', value: '1', effect: 'NoExecute', tolerationSeconds: 60 }] }))
      .toEqual([{ key: 'b', operator: 'Equal', value: '1', effect: 'NoExecute', tolerationSeconds: 60 }, exists('a')])
    expect(await admitted({ annotations, tolerations: [{ operator: 'Exists' }] })).toEqual([{ operator: 'Exists' }])
  })

  it('lets pods that ask for something stay where memory is short', async () => {
    expect(await admitted({ requests: { cpu: '1' } })).toEqual([memory])
    expect(await admitted({})).toBeUndefined()
  })

  it('refuses tolerations that the namespace, or the cluster, does not allow', async () => {
    const annotations = { [only]: JSON.stringify([exists('a'), { key: 'b', operator: 'Equal', value: '1' }]) }
    expect(await admitted({ annotations, tolerations: [exists('a', { effect: 'NoSchedule' })] })).toEqual([exists('a', { effect: 'NoSchedule' })])
    expect(await admitted({ annotations, tolerations: [exists('c')] })).toBe('500 pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist')
    expect(await admitted({ annotations, tolerations: [exists('b')] })).toContain('conflict')
    // What everything tolerates is allowed by nothing but itself.
    expect(await admitted({ annotations, tolerations: [{ operator: 'Exists' }] })).toContain('conflict')
    const config = 'whitelist: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 60}]'
    expect(await admitted({ config, tolerations: [exists('a', { effect: 'NoExecute', tolerationSeconds: 61 })] })).toBe('500 pod tolerations (possibly merged with namespace default tolerations) conflict with its cluster whitelist')
    expect(await admitted({ config, tolerations: [exists('a', { effect: 'NoExecute', tolerationSeconds: 60 })] })).toHaveLength(1)
    expect(await admitted({ config, annotations: { [only]: '' }, tolerations: [exists('c')] })).toHaveLength(1)
  })

  it('says what is wrong with an annotation or a configuration', async () => {
    expect(await admitted({ annotations: { [added]: '{' } })).toContain(`500 namespaces "x": annotation ${added}: `)
    expect(await admitted({ annotations: { [added]: '[{"key": 1}]' } })).toContain('500 namespaces "x"')
    expect(() => parsePodTolerationRestriction(`${head}default: [{key: a, operator: Exists, value: b}]`)).toThrow('default[0].operator')
    expect(() => parsePodTolerationRestriction(`${head}defaults: []`)).toThrow('defaults: unknown field')
  })
})
