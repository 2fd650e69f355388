import { describe, expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import type { Client } from '../../../client/client.ts'
import { alreadyExists, forbidden } from '../../../machinery/errors.ts'
import { attributesOf, environment, type Loose } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { namespaceAutoProvision } from './namespace-auto-provision.ts'
import { namespaceExists } from './namespace-exists.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'

const map = (namespace: string): Loose => ({ kind: 'ConfigMap', metadata: { name: 'm', namespace } })

describe('NamespaceExists', () => {
  it('keeps everything out of namespaces that are not there', async () => {
    const chain = createAdmissionChain([namespaceExists(environment({ kind: 'Namespace', metadata: { name: 'here' } }))])
    for (const operation of ['CREATE', 'UPDATE', 'DELETE'] as const) {
      expect(chain.validate(attributesOf(core.configmaps, map('here'), { operation })), operation).toBeUndefined()
      await expect(chain.validate(attributesOf(core.configmaps, map('nowhere'), { operation })), operation).rejects.toThrow('namespaces "nowhere" not found')
    }
    expect(chain.validate(attributesOf(core.nodes, { kind: 'Node', metadata: { name: 'n' } }))).toBeUndefined()
  })
})

describe('NamespaceAutoProvision', () => {
  const start = (answer: (env: ReturnType<typeof environment>, name: string) => void) => {
    const env = environment()
    const asked: string[] = []
    const client = { ...env.client, create: async (_: unknown, object: { metadata: { name: string } }) => (asked.push(object.metadata.name), answer(env, object.metadata.name), object) } as unknown as Client
    return { asked, chain: createAdmissionChain([namespaceAutoProvision({ ...env, client }), namespaceLifecycle({ ...env, client })]) }
  }
  const make = (env: ReturnType<typeof environment>, name: string) => void env.objects.push({ kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } })

  it('makes the namespace of what is created, once', async () => {
    const { chain, asked } = start(make)
    for (let i = 0; i < 2; i++) await chain.mutate(attributesOf(core.configmaps, map('fresh')))
    expect(asked).toEqual(['fresh'])
  })

  it('minds nobody who was faster, and says why there is none', async () => {
    const faster = start((env, name) => {
      make(env, name)
      throw alreadyExists(core.namespaces, name)
    })
    await expect(faster.chain.mutate(attributesOf(core.configmaps, map('fresh')))).resolves.toMatchObject({ metadata: { name: 'm' } })
    const refused = start((_, name) => {
      throw forbidden(core.namespaces, name, 'no more')
    })
    await expect(refused.chain.mutate(attributesOf(core.configmaps, map('fresh')))).rejects.toThrow('configmaps "m" is forbidden: namespaces "fresh" is forbidden: no more')
  })

  it('makes none for what is only tried, changed or deleted', async () => {
    const { chain, asked } = start(make)
    const tried = attributesOf(core.configmaps, map('fresh'))
    await expect(chain.mutate({ ...tried, context: { ...tried.context, dryRun: true } })).rejects.toThrow('not found')
    await expect(chain.mutate(attributesOf(core.configmaps, map('fresh'), { operation: 'UPDATE' }))).rejects.toThrow('not found')
    expect(asked).toEqual([])
  })
})
