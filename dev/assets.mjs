// Build Desk's bundles with esbuild, as Frappe's own build does: every *.bundle.js and *.bundle.scss under the
// public folder of the package, plus assets.json, which tells Frappe the file of each bundle.
//
// usage: node assets.mjs FRAPPE_PACKAGE NODE_MODULES OUT_FOLDER ASSETS_JSON
//
// Frappe's build script itself is not part of the runtime and wants a bench with git clones around it.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [FRAPPE, NODE_MODULES, OUT, ASSETS_JSON] = process.argv.slice(2).map((file) => path.resolve(file));
const SITE_PACKAGES = path.dirname(FRAPPE);
const PUBLIC = path.join(FRAPPE, "public");
const URL_PREFIX = "/assets/frappe/dist";

// This file lies outside of the folder that npm installs into
const require = createRequire(path.join(NODE_MODULES, "_"));
const esbuild = require("esbuild");
const sass = require("sass");
const vue = require("@vue/compiler-sfc");

const COMMON = {
	bundle: true,
	minify: true,
	metafile: true,
	target: "es2018",
	logLevel: "warning",
	entryNames: "[name].[hash]",
	nodePaths: [NODE_MODULES, SITE_PACKAGES, path.join(PUBLIC, "js")],
	loader: { ".svg": "dataurl", ".woff": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl", ".eot": "dataurl" },
};

// `import "x.html"` makes the file a template of Desk, known by its file name
const htmlTemplates = {
	name: "html-templates",
	setup(build) {
		build.onLoad({ filter: /\.html$/ }, ({ path: file }) => {
			const name = path.basename(file).split(".")[0];
			const content = fs.readFileSync(file, "utf8").replace(/`/g, "\\`");
			return { contents: `frappe.templates['${name}'] = \`${content}\`;`, loader: "js" };
		});
	},
};

// What starts with /assets is served as it is, not bundled
const servedAssets = {
	name: "served-assets",
	setup(build) {
		build.onResolve({ filter: /^\/assets\// }, ({ path: url }) => ({ path: url, external: true }));
	},
};

const stylesheets = {
	name: "stylesheets",
	setup(build) {
		build.onLoad({ filter: /\.scss$/ }, ({ path: file }) => ({
			contents: compileScss(fs.readFileSync(file, "utf8"), file),
			loader: "css",
			resolveDir: NODE_MODULES,
		}));
	},
};

function compileScss(source, file) {
	const importer = {
		// "~package/file" means a Node package
		findFileUrl: (url) => (url.startsWith("~") ? pathToFileURL(path.join(NODE_MODULES, url.slice(1))) : null),
	};
	return sass.compileString(source, {
		url: pathToFileURL(file),
		importers: [importer],
		loadPaths: [SITE_PACKAGES, NODE_MODULES, path.dirname(file)],
		logger: sass.Logger.silent,
	}).css;
}

const vueComponents = {
	name: "vue-components",
	setup(build) {
		build.onLoad({ filter: /\.vue$/ }, ({ path: file }) => ({
			contents: compileVue(fs.readFileSync(file, "utf8"), file),
			loader: "ts",
			resolveDir: path.dirname(file),
		}));
	},
};

function compileVue(source, file) {
	const { descriptor } = vue.parse(source, { filename: file });
	const id = createHash("sha256").update(file).digest("hex").slice(0, 8);
	const scoped = descriptor.styles.some((style) => style.scoped);
	const scopeId = scoped ? `data-v-${id}` : null;
	const parts = [compileVueScript(descriptor, id, scoped, scopeId)];
	if (descriptor.template && !descriptor.scriptSetup) {
		const { code } = vue.compileTemplate({ source: descriptor.template.content, filename: file, id, scoped });
		parts.push(code.replace("export function render", "function render"), "component.render = render;");
	}
	if (scopeId) {
		parts.push(`component.__scopeId = ${JSON.stringify(scopeId)};`);
	}
	parts.push(...descriptor.styles.map((style) => injectVueStyle(style, file, id)));
	return [...parts, "export default component;"].join("\n");
}

function compileVueScript(descriptor, id, scoped, scopeId) {
	if (!descriptor.script && !descriptor.scriptSetup) {
		return "const component = {};";
	}
	return vue.compileScript(descriptor, {
		id,
		genDefaultAs: "component",
		inlineTemplate: Boolean(descriptor.scriptSetup),
		templateOptions: { scoped, compilerOptions: { scopeId } },
	}).content;
}

// Desk loads a bundle's JavaScript only, so the component brings its style along
function injectVueStyle(style, file, id) {
	// Without its suffix the import is compiled in; with it, the browser would look for the file
	const content = style.content.replace(/@import "([^"]+)\.css"/g, '@import "$1"');
	const css = compileScss(content, file);
	const { code } = vue.compileStyle({ source: css, filename: file, id: `data-v-${id}`, scoped: style.scoped });
	return `frappe.dom.set_style(${JSON.stringify(code)});`;
}

function findBundles(folder, pattern) {
	return fs
		.readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && pattern.test(entry.name))
		.map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

async function build(source, pattern, target, options) {
	const { metafile } = await esbuild.build({
		...COMMON,
		...options,
		entryPoints: findBundles(path.join(PUBLIC, source), pattern),
		outdir: path.join(OUT, target),
	});
	return Object.keys(metafile.outputs);
}

// "desk.bundle.HASH.js" is the bundle "desk.bundle.js"
function nameBundles(outputs) {
	return Object.fromEntries(
		outputs.map((file) => {
			const parts = path.basename(file).split(".");
			const url = `${URL_PREFIX}/${path.basename(path.dirname(file))}/${path.basename(file)}`;
			return [[...parts.slice(0, -2), parts.at(-1)].join("."), url];
		})
	);
}

const scripts = await build("js", /\.bundle\.(js|ts)$/, "js", {
	format: "iife",
	plugins: [htmlTemplates, stylesheets, vueComponents, servedAssets],
	define: {
		"process.env.NODE_ENV": '"production"',
		__VUE_OPTIONS_API__: "true",
		__VUE_PROD_DEVTOOLS__: "false",
		__VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
	},
});
const styles = await build("scss", /\.bundle\.scss$/, "css", { plugins: [stylesheets, servedAssets] });

fs.writeFileSync(ASSETS_JSON, JSON.stringify(nameBundles([...scripts, ...styles]), null, 1) + "\n");
console.log(`${scripts.length} scripts and ${styles.length} stylesheets`);
