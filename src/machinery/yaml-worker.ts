/** The thread in which `yaml-json.ts` has long texts read. */
import { parentPort } from 'node:worker_threads'
import { yamlToJsonNow, type Answer } from './yaml-json.ts'

const answer = (text: string, uniqueKeys: boolean): Answer => {
  try {
    return { json: yamlToJsonNow(text, uniqueKeys) }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.on('message', ({ text, uniqueKeys }: { readonly text: string; readonly uniqueKeys: boolean }) => parentPort?.postMessage(answer(text, uniqueKeys)))
