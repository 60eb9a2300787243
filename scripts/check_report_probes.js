// What a page looks like from inside: asked of an open report by check_report.py.
'use strict';

window.probes = (() => {
    const visible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const named = (element) => {
        const classes = element.getAttribute('class');
        return element.tagName.toLowerCase() + (element.id ? `#${element.id}` : '') +
            (classes ? `.${classes.trim().split(/\s+/).join('.')}` : '');
    };

    // ---------------------------------------------------------------- what is drawn

    /** How many different colours a canvas shows, up to a few. */
    function colours(canvas) {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Set();
        for (let i = 0; i < data.length && seen.size < 8; i += 4) {
            if (data[i + 3] > 0) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
        }
        return seen.size;
    }

    /** Marks that show data, not axes: of a figure by Vega, or of any SVG. */
    function marks(picture) {
        const shapes = 'path, line, rect, circle';
        const marked = picture.querySelectorAll('[role=graphics-symbol], .mark-line, .mark-symbol, .mark-rect, .mark-area, .mark-rule');
        const among = marked.length ? Array.from(marked).filter((mark) => !mark.closest('.role-axis, .role-legend')) : [picture];
        const own = (mark) => (mark.matches(shapes) ? [mark] : Array.from(mark.querySelectorAll(shapes)));
        const drawn = (shape) => (shape.tagName === 'path' ? (shape.getAttribute('d') || '').length > 3 : true);
        return new Set(among.flatMap(own).filter(drawn)).size;
    }

    function figures() {
        return Array.from(document.querySelectorAll('figure[data-specification]'), (figure) => {
            const canvas = figure.querySelector('.picture canvas');
            const svg = figure.querySelector('.picture svg');
            return {
                name: figure.dataset.name || figure.id,
                drawn: figure.dataset.drawn === 'true',
                marks: svg ? marks(svg) : 0,
                colours: canvas ? colours(canvas) : 0,
            };
        });
    }

    function players() {
        return Array.from(document.querySelectorAll('.taut-player'), (player) => ({
            marks: Array.from(player.querySelectorAll('svg'), marks).reduce((a, b) => a + b, 0),
            readout: player.innerText.trim().length,
        }));
    }

    // ------------------------------------------------------------------- what fits

    /** Elements beyond the right edge of the window that no box of their own scrolls; what pictures cut off is theirs. */
    function overflowing() {
        const edge = document.documentElement.clientWidth;
        const boxed = (element) => {
            for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
                if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX)) return true;
            }
            return false;
        };
        const over = (element) => element.getBoundingClientRect().right > edge + 1 &&
            !element.ownerSVGElement && visible(element) && !boxed(element);
        return Array.from(document.body.querySelectorAll('*')).filter(over).map(named).slice(0, 8);
    }

    /** Pictures that had to be squeezed into their place, or are cut by it. */
    function squeezed() {
        const found = [];
        for (const picture of document.querySelectorAll('figure .picture')) {
            const drawing = picture.querySelector('svg, canvas');
            if (!drawing) continue;
            const own = parseFloat(drawing.tagName === 'CANVAS' ? drawing.style.width : drawing.getAttribute('width'));
            const [place, shown] = [picture.getBoundingClientRect().width, drawing.getBoundingClientRect().width];
            if (own > place + 1 || shown > place + 1) found.push(`${named(picture.closest('figure'))}: ${own} px in ${place} px`);
        }
        return found;
    }

    /** Texts of pictures that lie over each other, or beyond their picture. */
    function collisions() {
        const found = [];
        for (const svg of document.querySelectorAll('figure .picture svg, .taut-player svg')) {
            const frame = svg.getBoundingClientRect();
            const clips = getComputedStyle(svg).overflow !== 'visible';
            const texts = Array.from(svg.querySelectorAll('text'))
                .filter((text) => text.textContent.trim() && visible(text) && Number(text.getAttribute('opacity') ?? 1) > 0)
                .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }))
                .filter(({ box }) => box.width > 0);
            const place = named(svg.closest('figure') || svg.closest('.taut-player'));
            texts.forEach(({ text, box }, at) => {
                if (clips && (box.left < frame.left - 2 || box.right > frame.right + 2)) found.push(`${place}: "${text}" is cut off`);
                for (const other of texts.slice(at + 1)) {
                    const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
                    const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
                    if (wide > 1.5 && high > 3) found.push(`${place}: "${text}" lies over "${other.text}"`);
                }
            });
        }
        return found.slice(0, 8);
    }

    // ---------------------------------------------------------------- what can be read

    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

    /** Red, green, blue and opacity of any CSS colour, each from 0 to 1. */
    function channels(colour) {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return Array.from(context.getImageData(0, 0, 1, 1).data, (channel) => channel / 255);
    }

    const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);

    function luminance(colour) {
        const [r, g, b] = colour.slice(0, 3).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }

    function contrast(a, b) {
        const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
    }

    function ground(element) {
        const layers = [];
        for (let box = element; box; box = box.parentElement) layers.push(channels(getComputedStyle(box).backgroundColor));
        return layers.reverse().reduce((back, front) => over(front, back), [1, 1, 1, 1]);
    }

    /** Texts with less contrast to their ground than WCAG 2 asks at level AA. */
    function faint() {
        const worst = new Map();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const element = node.parentElement;
            if (!node.data.trim() || element.closest('script, style, noscript') || !visible(element)) continue;
            const style = getComputedStyle(element);
            const isDrawn = element.closest('svg') !== null;
            const colour = channels(isDrawn ? style.fill : style.color);
            colour[3] *= isDrawn ? Number(style.fillOpacity) * Number(element.getAttribute('opacity') ?? 1) : 1;
            if (colour[3] === 0) continue;
            const behind = ground(isDrawn ? element.closest('svg') : element);
            const size = parseFloat(style.fontSize);
            const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
            const ratio = contrast(over(colour, behind), behind);
            if (ratio < (isLarge ? 3 : 4.5)) {
                const place = named(element);
                if (!(worst.get(place) < ratio)) worst.set(place, ratio);
            }
        }
        return Array.from(worst, ([place, ratio]) => `${place} ${ratio.toFixed(2)}`).slice(0, 8);
    }

    /** Things to press or move that say no name, and headings that skip a level. */
    function unnamed() {
        const controls = document.querySelectorAll('button, input, select, summary, a[href]');
        const says = (control) => (control.getAttribute('aria-label') || control.innerText || '').trim() ||
            (control.labels && control.labels.length) || control.getAttribute('aria-labelledby');
        const silent = Array.from(controls).filter((control) => visible(control) && !says(control)).map(named);
        let level = 0;
        for (const heading of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
            const own = Number(heading.tagName[1]);
            if (own > level + 1) silent.push(`${named(heading)} below level ${level}`);
            level = own;
        }
        return silent.slice(0, 8);
    }

    // --------------------------------------------------------------------- strangers

    /** Elements that no report has, and handlers in attributes: what a hostile text would have brought. */
    function strangers() {
        const found = Array.from(document.querySelectorAll('img, iframe, object, embed, form:not(.vega-bindings), base, body script[src], marquee'), named);
        for (const element of document.querySelectorAll('*')) {
            for (const { name, value } of element.attributes) {
                if (name.startsWith('on') || /^\s*javascript:/i.test(value)) found.push(`${named(element)} ${name}`);
            }
        }
        return found.slice(0, 8);
    }

    return { figures, players, overflowing, squeezed, collisions, faint, unnamed, strangers };
})();
