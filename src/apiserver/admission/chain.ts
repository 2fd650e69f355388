/** The admission chain: every plugin in Kubernetes's order, first all that may change the object, then all that may refuse it. */
import { ApiError, internal } from '../../machinery/errors.ts'
import type { ApiObject } from '../../client/client.ts'
import type { AdmissionAttributes, AdmissionChain, AdmissionPlugin } from './admission.ts'
import { createReinvocation, type Reinvocation } from './reinvocation.ts'

/**
 * Plugins run one after the other, each on what the one before it made of the object. The first refusal ends it. Only those that ask
 * somebody are waited for.
 */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[]): AdmissionChain {
  const mutating = plugins.filter((plugin) => plugin.mutate)
  const hearingOfAll = mutating.filter((plugin) => plugin.hearsOfAll)
  const validating = plugins.filter((plugin) => plugin.validate)

  const run = async (attributes: AdmissionAttributes, object: ApiObject | undefined, reinvocation: Reinvocation): Promise<ApiObject | undefined> => {
    let current = object === attributes.object ? attributes : { ...attributes, object }
    const all = attributes.operation === 'DELETE' || attributes.operation === 'CONNECT' ? hearingOfAll : mutating
    for (const plugin of all) {
      try {
        if (!plugin.handles(current)) continue
        const answer = plugin.mutate!(plugin.hearsOfAll ? { ...current, reinvocation } : current)
        const made = answer instanceof Promise ? await answer : answer
        if (made !== current.object) current = { ...current, object: made }
      } catch (error) {
        throw named(plugin, error)
      }
    }
    return current.object
  }
  return {
    async mutate(attributes) {
      const { first, second, wanted } = createReinvocation()
      const object = await run(attributes, attributes.object, first)
      return wanted() ? run(attributes, object, second) : object
    },
    async validate(attributes) {
      for (const plugin of validating) {
        try {
          const answer = plugin.handles(attributes) ? plugin.validate!(attributes) : undefined
          if (answer instanceof Promise) await answer
        } catch (error) {
          throw named(plugin, error)
        }
      }
    },
  }
}

/** What is not an answer for the client becomes one that names the plugin. */
function named(plugin: AdmissionPlugin, error: unknown): unknown {
  if (error instanceof ApiError) return error
  return Object.assign(internal(`admission plugin ${plugin.name}: ${error instanceof Error ? error.message : String(error)}`), { cause: error })
}
