/** An operator for a kind of its own: the pages of a Website are kept in a ConfigMap that belongs to it. */
import { core } from '../../src/api/index.ts'
import { createInformers, customResource, keyOf, runController, watch } from '../../src/client/index.ts'
import type { ApiObject, Client, Controller } from '../../src/client/index.ts'
import type { Clock } from '../../src/machinery/clock.ts'
import { isNotFound } from '../../src/machinery/errors.ts'
import type { Logger } from '../../src/machinery/log.ts'
import { deepEqual, isControlledBy, ownerReference } from '../../src/machinery/meta.ts'

export interface Website extends ApiObject {
  readonly spec: { readonly title: string; readonly pages: Readonly<Record<string, string>> }
  readonly status?: { readonly pages?: number; readonly observedGeneration?: number }
}

/** What `website.yaml` defines. */
export const websites = customResource<Website>({ group: 'example.com', version: 'v1', kind: 'Website', plural: 'websites' })

const html = (title: string, text: string): string => `<title>${title}</title>${text}`

/** Starts the operator; it ends with the signal, or with `stop`. */
export function startWebsites(options: { readonly client: Client; readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal }): Controller {
  const { client, clock, log, signal } = options
  const informers = createInformers(client, { clock, log })
  const sites = informers.for(websites)
  const maps = informers.for(core.configmaps)

  async function reconcile(key: string): Promise<void> {
    const site = sites.get(key)
    // Its ConfigMap goes with it: the garbage collector sees to that.
    if (!site || site.metadata.deletionTimestamp) return
    const { name = '', namespace = '', generation } = site.metadata
    const data = Object.fromEntries(Object.entries(site.spec.pages).map(([page, text]) => [page, html(site.spec.title, text)]))
    const there = await client.get(core.configmaps, name, { namespace }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw error
    })
    if (there && !isControlledBy(there, site)) throw new Error(`the ConfigMap ${key} belongs to somebody else`)
    if (!there) await client.create(core.configmaps, { metadata: { name, namespace, ownerReferences: [ownerReference(site)] }, data })
    else if (!deepEqual(there.data ?? {}, data)) await client.update(core.configmaps, { ...there, data })
    const status = { pages: Object.keys(data).length, observedGeneration: generation ?? 0 }
    if (!deepEqual(site.status, status)) await client.updateStatus(websites, { ...site, status })
  }

  const controller = runController({
    name: 'websites',
    reconciler: { reconcile },
    watches: [watch(sites, (site) => [keyOf(site)]), watch(maps, (map) => (map.metadata.ownerReferences ?? []).filter((o) => o.kind === 'Website').map((o) => `${map.metadata.namespace}/${o.name}`))],
    clock, log, signal,
  })
  informers.start(signal)
  return controller
}
