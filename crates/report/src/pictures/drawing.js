// Draws one Vega-Lite specification as SVG and leaves `outcome` behind. Vega and Vega-Lite are loaded before.
'use strict';

// Without a canvas, Vega guesses 0.8 of the font size for every letter, half as much again as letters are wide.
vega.textMetrics.width = (item, line) => {
    const text = line == null ? '' : String(line).trim();
    const heavy = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600;
    const width = widthOfText(text, heavy) * vega.textMetrics.height(item);
    return item.limit > 0 ? Math.min(width, item.limit) : width;
};

globalThis.outcome = null;

// A logger that remembers, in the shape that both scripts call.
function listener(outcome) {
    const words = (pieces) => pieces.map((piece) => (piece && piece.message) || String(piece)).join(' ');
    const logger = {
        level() { return logger; },
        error(...pieces) { outcome.failures.push(words(pieces)); return logger; },
        warn(...pieces) { outcome.remarks.push(words(pieces)); return logger; },
        info() { return logger; },
        debug() { return logger; },
    };
    return logger;
}

globalThis.draw = (text) => {
    const outcome = { svg: '', width: 0, height: 0, remarks: [], failures: [] };
    globalThis.outcome = outcome;
    const logger = listener(outcome);
    // Names inside the SVG count on from picture to picture otherwise, and depend on what was drawn before.
    vega.resetSVGDefIds();
    const compiled = vegaLite.compile(JSON.parse(text), { logger }).spec;
    const view = new vega.View(vega.parse(compiled), { renderer: 'none', logger });
    view.toSVG()
        .then((svg) => {
            const size = /<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg);
            Object.assign(outcome, { svg, width: Number(size[1]), height: Number(size[2]) });
        })
        .catch((error) => outcome.failures.push(error.message || String(error)))
        .then(() => view.finalize());
};
