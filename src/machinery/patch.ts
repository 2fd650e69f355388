/** The three kinds of patch. Pure: documents are never changed. Server-side apply is in `apply.ts`. */
export { applyJsonPatch, applyMergePatch, rejectedFor, type JsonPatchOperation } from './patch/json.ts'
export { applyStrategicMergePatch } from './patch/strategic.ts'
