/**
 * A small operator: a ConfigMap that says `example.com/mirror-to: a,b` is kept, as it is, in the namespaces a and b too.
 * Copies belong to the operator: what others change in them is put back, and they go with the original.
 */
import { core } from '../../src/api/index.ts'
import { createInformers, runController, watch } from '../../src/client/index.ts'
import type { Client, Controller } from '../../src/client/index.ts'
import { isNotFound } from '../../src/machinery/errors.ts'
import type { Clock } from '../../src/machinery/clock.ts'
import type { Logger } from '../../src/machinery/log.ts'

export const mirrorTo = 'example.com/mirror-to'
export const mirrorOf = 'example.com/mirror-of'

const targets = (source: core.ConfigMap | undefined): string[] =>
  (source?.metadata.annotations?.[mirrorTo] ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '' && name !== source?.metadata.namespace)

/** Starts the operator; it ends with the signal, or with `stop`. */
export function startMirror(options: { readonly client: Client; readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal }): Controller {
  const { client, clock, log, signal } = options
  const informers = createInformers(client, { clock, log })
  const configmaps = informers.for(core.configmaps, {
    indexes: { copies: (object) => [object.metadata.annotations?.[mirrorOf] ?? ''] },
  })

  async function reconcile(key: string): Promise<void> {
    const source = configmaps.get(key)
    const wanted = targets(source)
    for (const copy of configmaps.byIndex('copies', key)) {
      if (wanted.includes(copy.metadata.namespace ?? '')) continue
      await client.delete(core.configmaps, copy.metadata.name ?? '', { namespace: copy.metadata.namespace ?? '' }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
    if (!source) return
    for (const namespace of wanted) {
      const there = configmaps.get(`${namespace}/${source.metadata.name}`)
      const copy = { metadata: { name: source.metadata.name, namespace, annotations: { [mirrorOf]: key } }, data: source.data }
      if (!there) await client.create(core.configmaps, copy)
      else if (there.metadata.annotations?.[mirrorOf] !== key) log.warn({ key, namespace }, 'a ConfigMap of that name is there already, and not ours')
      else if (JSON.stringify(there.data) !== JSON.stringify(source.data)) await client.update(core.configmaps, { ...there, data: source.data })
    }
  }

  const controller = runController({
    name: 'mirror',
    reconciler: { reconcile },
    // A copy concerns its original, an original itself.
    watches: [watch(configmaps, (object) => [object.metadata.annotations?.[mirrorOf] ?? `${object.metadata.namespace}/${object.metadata.name}`])],
    clock,
    log,
    signal,
  })
  informers.start(signal)
  return controller
}
