/** The admission chain: every plugin in Kubernetes's order, first all that may change the object, then all that may refuse it. */
import { ApiError, internal } from '../../machinery/errors.ts'
import type { ApiObject } from '../../client/client.ts'
import type { AdmissionChain, AdmissionPlugin } from './admission.ts'

/** Plugins run one after the other, each on what the one before it made of the object. The first refusal ends it. */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  return {
    async mutate(attributes) {
      let object: ApiObject | undefined = attributes.object
      for (const plugin of plugins) {
        if (!plugin.mutate) continue
        const current = object === attributes.object ? attributes : { ...attributes, object }
        if (!plugin.handles(current)) continue
        object = await guarded(plugin, () => plugin.mutate?.(current))
      }
      return object
    },
    async validate(attributes) {
      for (const plugin of plugins) {
        if (plugin.validate && plugin.handles(attributes)) await guarded(plugin, () => plugin.validate?.(attributes))
      }
    },
  }
}

/** What is not an answer for the client becomes one that names the plugin. */
async function guarded<T>(plugin: AdmissionPlugin, run: () => T): Promise<Awaited<T>> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw Object.assign(internal(`admission plugin ${plugin.name}: ${error instanceof Error ? error.message : String(error)}`), { cause: error })
  }
}
