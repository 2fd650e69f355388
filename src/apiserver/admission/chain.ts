/** The admission chain: every plugin in Kubernetes's order, first all that may change the object, then all that may refuse it. */
import { ApiError, internal } from '../../machinery/errors.ts'
import type { ApiObject } from '../../client/client.ts'
import type { AdmissionAttributes, AdmissionChain, AdmissionPlugin } from './admission.ts'
import { createReinvocation, type Reinvocation } from './reinvocation.ts'

/** Plugins run one after the other, each on what the one before it made of the object. The first refusal ends it. */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const mutating = plugins.filter((plugin) => plugin.mutate)
  const hearingOfAll = mutating.filter((plugin) => plugin.hearsOfAll)

  const run = async (attributes: AdmissionAttributes, object: ApiObject | undefined, reinvocation: Reinvocation): Promise<ApiObject | undefined> => {
    let made = object
    const all = attributes.operation === 'DELETE' || attributes.operation === 'CONNECT' ? hearingOfAll : mutating
    for (const plugin of all) {
      const current = made === attributes.object ? attributes : { ...attributes, object: made }
      if (plugin.handles(current)) made = await guarded(plugin, () => plugin.mutate?.(plugin.hearsOfAll ? { ...current, reinvocation } : current))
    }
    return made
  }
  return {
    async mutate(attributes) {
      const { first, second, wanted } = createReinvocation()
      const object = await run(attributes, attributes.object, first)
      return wanted() ? run(attributes, object, second) : object
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
