import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { attributesOf, environment } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { parsePodNodeSelector, podNodeSelector } from './pod-node-selector.ts'

const key = 'scheduler.alpha.kubernetes.io/node-selector'
interface Made { readonly spec: { readonly nodeSelector?: Record<string, string> } }

/** The pod's selector as it is stored, or why it is not. */
async function admitted(annotation: string | undefined, nodeSelector: Record<string, string> | undefined, config = ''): Promise<unknown> {
  const plugin = podNodeSelector(environment({ kind: 'Namespace', metadata: { name: 'x', ...(annotation === undefined ? {} : { annotations: { [key]: annotation } }) } }), parsePodNodeSelector(`podNodeSelectorPluginConfig: {${config}}`))
  const chain = createAdmissionChain([plugin])
  const attributes = attributesOf(core.pods, { kind: 'Pod', metadata: { name: 'p', namespace: 'x' }, spec: { containers: [], ...(nodeSelector ? { nodeSelector } : {}) } })
  try {
    const made = await chain.mutate(attributes)
    await chain.validate({ ...attributes, object: made })
    return (made as unknown as Made).spec.nodeSelector
  } catch (error) {
    return isApiError(error) ? `${error.code} ${error.message}` : String(error)
  }
}

describe('PodNodeSelector', () => {
  it('adds the selector of the namespace, or the cluster\'s where the namespace has none', async () => {
    expect(await admitted('env=test, disk = ssd', { own: 'x' })).toEqual({ env: 'test', disk: 'ssd', own: 'x' })
    expect(await admitted(undefined, undefined, 'clusterDefaultNodeSelector: env=prod')).toEqual({ env: 'prod' })
    expect(await admitted('', undefined, 'clusterDefaultNodeSelector: env=prod')).toBeUndefined()
    expect(await admitted(undefined, undefined)).toBeUndefined()
  })

  it('refuses pods that ask for other nodes', async () => {
    expect(await admitted('env=test', { env: 'prod' })).toBe('403 pods "p" is forbidden: pod node label selector conflicts with its namespace node label selector')
    expect(await admitted('env=test', { env: 'test' })).toEqual({ env: 'test' })
  })

  it('lets pods ask for nothing but what is listed for their namespace', async () => {
    expect(await admitted(undefined, { env: 'test' }, 'x: "env=test,zone=a"')).toEqual({ env: 'test' })
    expect(await admitted(undefined, { env: 'prod' }, 'x: "env=test,zone=a"')).toBe('403 pods "p" is forbidden: pod node label selector labels conflict with its namespace whitelist')
    expect(await admitted('rack=1', undefined, 'x: "env=test"')).toBe('403 pods "p" is forbidden: pod node label selector labels conflict with its namespace whitelist')
    expect(await admitted('rack=1', undefined, 'y: "env=test"')).toEqual({ rack: '1' })
  })

  it('lets no later plugin take the selector away', async () => {
    const plugin = podNodeSelector(environment({ kind: 'Namespace', metadata: { name: 'x', annotations: { [key]: 'env=test' } } as never }))
    const moved = attributesOf(core.pods, { kind: 'Pod', metadata: { name: 'p', namespace: 'x' }, spec: { containers: [], nodeSelector: { env: 'prod' } } })
    expect(() => plugin.validate?.(moved)).toThrow('conflicts with its namespace node label selector')
  })

  it('says what is wrong with an annotation', async () => {
    expect(await admitted('env', undefined)).toBe('500 invalid selector: [env]')
    expect(await admitted('env=a b', undefined)).toContain('500 invalid label value: "a b": at key: "env"')
  })

  it.each([
    ['no map', 'podNodeSelectorPluginConfig: [a]', 'it must be a map of selectors by namespace'],
    ['a selector of another form', 'podNodeSelectorPluginConfig: {x: "a in (b)"}', 'podNodeSelectorPluginConfig.x: invalid selector: [a in (b)]'],
    ['a field that nobody knows', 'podNodeSelector: {}', 'podNodeSelector: unknown field'],
  ])('refuses a configuration with %s', (_, text, message) => expect(() => parsePodNodeSelector(text)).toThrow(message))
})
