// What Vega and Vega-Lite expect of a browser and the engine has not.
'use strict';

globalThis.console = { log() {}, info() {}, debug() {}, warn() {}, error() {} };
globalThis.setTimeout = (work) => { Promise.resolve().then(work); return 0; };
globalThis.clearTimeout = () => {};
globalThis.structuredClone = (value) => {
    if (Array.isArray(value)) return value.map(structuredClone);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, structuredClone(inner)]));
};
