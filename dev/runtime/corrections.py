"""Every change made to the fork's text, each with its reason. `build.py` carries them out in this order.

A correction names a file of the package `frappe` (after the renaming), the text expected there and the text put
in its place. A text that is not there stops the build: a silent no-op would be found much later, in the app.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Correction:
	"""One change: in `path`, every occurrence of `old` becomes `new`, because `why`."""

	name: str
	why: str
	path: str
	old: str
	new: str


INIT = "__init__.py"

SITES = (
	Correction(
		"init takes a site",
		"the fork reads .env in the current folder; an app calls frappe.init(site, sites_path)",
		INIT,
		"def init(force: bool = False) -> None:",
		"def init(\n\tsite: str | None = None, sites_path: str | None = None, new_site: bool = False, force: bool = False"
		"\n) -> None:",
	),
	Correction(
		"init sets the paths of the site",
		"the fork takes the current folder for the site",
		INIT,
		"\tlocal.app_path = os.getcwd()\n\tlocal.site_path = os.getcwd()\n",
		"\tlocal.site, local.sites_path = resolve_site(site, sites_path)\n"
		"\tlocal.app_path = local.sites_path\n"
		"\tlocal.site_path = os.path.join(local.sites_path, local.site)\n"
		"\tlocal.all_apps = None\n"
		"\tlocal.flags.new_site = new_site\n",
	),
	Correction(
		"connect takes a site",
		"the fork ignores the argument",
		INIT,
		'\tif not getattr(local, "initialised", False):\n\t\tinit()\n\n\tconf = local.conf\n',
		'\tif site or not getattr(local, "initialised", False):\n\t\tinit(site)\n\n\tconf = local.conf\n',
	),
	Correction(
		"sites and apps instead of constants",
		"the fork answers ['frappe'] to every question about apps; see added/sites_and_apps.py",
		INIT,
		"# Backward compatibility\nfrom frappe.utils.messages import *",
		"from frappe.sites_and_apps import (\n"
		"\tget_all_apps,\n\tget_app_path,\n\tget_app_source_path,\n\tget_installed_apps,\n\tget_module_list,\n"
		"\tget_site_name,\n\tinit_site,\n\tis_setup_complete,\n\tload_app_hooks,\n\tresolve_site,\n\tsetup_module_map,\n"
		")\n\n"
		"_load_app_hooks = load_app_hooks\n"
		"_site_cached_load_app_hooks = site_cache(load_app_hooks)\n\n"
		"# Backward compatibility\nfrom frappe.utils.messages import *",
	),
	Correction(
		"hooks of one app",
		"get_hooks(app_name=...) is how Frappe asks one app for its hooks",
		INIT,
		'\tdefault: Any | None = "_KEEP_DEFAULT_LIST",\n) -> _dict:',
		'\tdefault: Any | None = "_KEEP_DEFAULT_LIST",\n\tapp_name: str | None = None,\n) -> _dict:',
	),
	Correction(
		"hooks of one app are not cached",
		"Frappe reads them from the app each time too",
		INIT,
		"\tif local.conf.developer_mode:\n\t\thooks = _site_cached_load_app_hooks()\n",
		"\tif app_name:\n\t\thooks = _load_app_hooks(app_name)\n"
		"\telif local.conf.developer_mode:\n\t\thooks = _site_cached_load_app_hooks()\n",
	),
	Correction(
		"the version says Frappe 16",
		"apps ask frappe.__version__",
		INIT,
		'__version__ = "0.0.1"',
		'__version__ = "16.0.0-dev"',
	),
	Correction(
		"configuration from the JSON files",
		"the fork reads environment variables only",
		"config.py",
		"\tif cached:\n\t\treturn _cached_config().copy()\n\treturn _load_config()\n",
		"\tfrom frappe.site_config import read_site_config\n\n"
		"\treturn read_site_config(_load_config(), sites_path, site_path)\n",
	),
	Correction(
		"sites are folders",
		"the fork knows one site called frappe",
		"utils/__init__.py",
		'\treturn ["frappe"]\n',
		'\tbase = sites_path or getattr(frappe.local, "sites_path", None) or "."\n'
		"\treturn sorted(\n\t\tname for name in os.listdir(base)"
		' if os.path.exists(os.path.join(base, name, "site_config.json"))\n\t)\n',
	),
	Correction(
		"the bench is the folder above the sites",
		"logs, locks and queue names are found from it; the fork takes the current folder",
		"utils/__init__.py",
		'\treturn os.environ.get("FRAPPE_BENCH_ROOT") or os.getcwd()\n',
		'\tsites_path = getattr(frappe.local, "sites_path", None) or frappe.sites_and_apps.resolve_site(None, None)[1]\n'
		"\treturn os.path.dirname(os.path.abspath(sites_path))\n",
	),
	Correction(
		"a new site is initialised again under its name",
		"make_conf destroys the locals and the fork then forgets the site",
		"installer.py",
		"\tsites_path = frappe.local.app_path\n\tfrappe.destroy()\n\tfrappe.init()\n",
		"\tsites_path = frappe.local.sites_path\n\tfrappe.destroy()\n\tfrappe.init(site, sites_path=sites_path)\n",
	),
	Correction(
		"migrate connects to the site it was given",
		"the fork ignores the argument",
		"migrate.py",
		"\t\tif site:\n\t\t\tfrappe.init()\n\t\t\tfrappe.connect()\n",
		"\t\tif site:\n\t\t\tfrappe.init(site)\n\t\t\tfrappe.connect()\n",
	),
	Correction(
		"a job runs on the site that queued it",
		"the fork ignores the argument",
		"utils/background_jobs.py",
		"\tif is_async:\n\t\tfrappe.init(force=True)\n",
		"\tif is_async:\n\t\tfrappe.init(site, force=True)\n",
	),
	Correction(
		"a request is for the site of its header",
		"as bench's proxy sends it; without the header, the site of the process",
		"app.py",
		"\tfrappe.init(force=True)\n",
		'\tfrappe.init(request.headers.get("X-Frappe-Site-Name"), force=True)\n',
	),
	Correction(
		"assets are served from the sites folder",
		"the fork takes the current folder",
		"app.py",
		'\tassets_path = os.path.join(os.getcwd(), "assets")\n',
		"\tsite, sites_path = frappe.sites_and_apps.resolve_site(None, None)\n"
		'\tassets_path = os.path.join(sites_path, "assets")\n',
	),
	Correction(
		"uploaded files are served from the site",
		"the fork takes the current folder",
		"app.py",
		'\tfiles_path = os.path.join(os.getcwd(), "public", "files")\n',
		'\tfiles_path = os.path.join(sites_path, site, "public", "files")\n',
	),
)

APPS = (
	Correction(
		"sync every app's DocTypes",
		"the fork syncs Frappe's only, so a migrate would change nothing of an app",
		"model/sync.py",
		'\tsync_for("frappe", force, reset_permissions=reset_permissions)\n',
		"\tfor app in frappe.get_installed_apps():\n\t\tsync_for(app, force, reset_permissions=reset_permissions)\n",
	),
	Correction(
		"run every app's patches",
		"the fork runs Frappe's only",
		"patches.py",
		'\treturn get_patches_from_app("frappe", patch_type=patch_type)',
		"\treturn [\n\t\tpatch\n\t\tfor app in frappe.get_installed_apps()\n"
		"\t\tfor patch in get_patches_from_app(app, patch_type=patch_type)\n\t]",
	),
	Correction(
		"install any app of apps.txt",
		"the fork installs itself only",
		"installer.py",
		'\tif name != "frappe":\n\t\traise ValueError("Single-tenant: only frappe can be installed.'
		' Use frappe new to create a project.")\n',
		'\tif name not in frappe.get_all_apps():\n\t\traise Exception(f"App {name} not in apps.txt")\n',
	),
	Correction(
		"install what an app requires, and read its own hooks",
		"install hooks of one app must not run for another",
		"installer.py",
		"\tapp_hooks = frappe.get_hooks()\n\tinstalled_apps = frappe.get_installed_apps()\n",
		"\tapp_hooks = frappe.get_hooks(app_name=name)\n\tinstalled_apps = frappe.get_installed_apps()\n"
		"\tfor required_app in app_hooks.required_apps or []:\n"
		"\t\tinstall_app(parse_app_name(required_app), verbose=verbose)\n",
	),
	Correction(
		"Frappe's own Module Defs come from its JSON",
		"inserting them twice fails",
		"installer.py",
		"\tadd_module_defs(name, ignore_if_duplicate=force)\n",
		'\tif name != "frappe":\n\t\tadd_module_defs(name, ignore_if_duplicate=force)\n',
	),
	Correction(
		"an installed app is remembered",
		"the fork's list of installed apps is fixed",
		"installer.py",
		"\tif frappe.flags.in_install:\n\t\tpost_install(rebuild_website)\n",
		"\tinstalled_apps = frappe.get_installed_apps()\n"
		"\tif app_name in installed_apps:\n\t\treturn\n"
		"\tinstalled_apps.append(app_name)\n"
		'\tfrappe.db.set_global("installed_apps", json.dumps(installed_apps))\n'
		"\tfrappe.db.commit()\n"
		"\tif frappe.flags.in_install:\n\t\tpost_install(rebuild_website)\n",
	),
	Correction(
		"an app can be removed",
		"the fork refuses; see added/uninstall.py",
		"installer.py",
		'\t"""Single-tenant: cannot remove frappe."""\n'
		'\tclick.secho("Single-tenant: app uninstall is not supported.", fg="yellow")\n',
		"\tfrom frappe import uninstall\n\n"
		"\tuninstall.remove_app(app_name, dry_run=dry_run, yes=yes, no_backup=no_backup, force=force)\n",
	),
	Correction(
		"a command's context names its sites",
		"an app's commands read context.sites; the fork's context has none",
		"utils/bench_helper.py",
		"\tforce: bool\n\tprofile: bool\n",
		"\tsites: list[str]\n\tforce: bool\n\tprofile: bool\n",
	),
	Correction(
		"icons of the removed app are deleted",
		"without the app's name the first app's title is taken: Frappe's",
		"utils/install.py",
		'\tfrappe.get_hooks()\n\tapp_title = frappe.get_hooks()["app_title"][0]\n',
		'\tapp_title = frappe.get_hooks("app_title", app_name=app_name)[0]\n',
	),
	Correction(
		"Desk learns of every app",
		"the boot data names Frappe only, so an app has no workspaces of its own",
		"boot.py",
		'\tfor app_name in ["frappe"]:\n\t\tapps = frappe.get_hooks("add_to_apps_screen")\n',
		"\tfor app_name in frappe.get_installed_apps():\n"
		'\t\tapps = frappe.get_hooks("add_to_apps_screen", app_name=app_name)\n',
	),
	Correction(
		"each app has its own title, home and logo in Desk",
		"merged hooks give every app the first app's",
		"boot.py",
		'\t\tapp_title_hooks = frappe.get_hooks("app_title")\n'
		'\t\tapp_home_hooks = frappe.get_hooks("app_home")\n'
		'\t\tapp_logo_hooks = frappe.get_hooks("app_logo_url")\n',
		'\t\tapp_title_hooks = frappe.get_hooks("app_title", app_name=app_name)\n'
		'\t\tapp_home_hooks = frappe.get_hooks("app_home", app_name=app_name)\n'
		'\t\tapp_logo_hooks = frappe.get_hooks("app_logo_url", app_name=app_name)\n',
	),
	Correction(
		"desktop icons of every app",
		"the fork looks in Frappe's folder only",
		"boot.py",
		'\tfor app in ["frappe"]:\n',
		"\tfor app in frappe.get_installed_apps():\n",
	),
	Correction(
		"each app has its own tile on the apps screen",
		"merged hooks show every app's tile once per app",
		"apps.py",
		'\t\tapp_details = frappe.get_hooks("add_to_apps_screen")\n\t\tif not len(app_details):\n',
		'\t\tapp_details = frappe.get_hooks("add_to_apps_screen", app_name=app)\n\t\tif not len(app_details):\n',
	),
	Correction(
		"the route of the named app",
		"merged hooks know no app of that name: the list has one entry per app, not per name",
		"apps.py",
		'\tapps = frappe.get_hooks("add_to_apps_screen")\n',
		'\tapps = frappe.get_hooks("add_to_apps_screen", app_name=app_name)\n',
	),
	Correction(
		"icons of the desktop ask their own app for permission",
		"merged hooks ask the first app: Frappe",
		"desk/doctype/desktop_icon/desktop_icon.py",
		'\t\t\tif frappe.get_hooks()["app_title"][0] == self.label or self.app == a:\n'
		'\t\t\t\tpermission_method = frappe.get_hooks()["add_to_apps_screen"][0].get(\n',
		"\t\t\thooks = frappe.get_hooks(app_name=a)\n"
		"\t\t\tif hooks.app_title[0] == self.label or self.app == a:\n"
		"\t\t\t\tpermission_method = (hooks.add_to_apps_screen or [{}])[0].get(\n",
	),
	Correction(
		"a workspace's icon belongs to its app",
		"merged hooks put every app's workspaces under Frappe's icon",
		"desk/doctype/desktop_icon/desktop_icon.py",
		'\t\t\t\tapp_title = frappe.get_hooks("app_title")[0]\n',
		'\t\t\t\tapp_title = frappe.get_hooks("app_title", app_name=app_name)[0]\n',
	),
	Correction(
		"an app's icon has its own title and logo",
		"merged hooks give every app Frappe's",
		"desk/doctype/desktop_icon/desktop_icon.py",
		'\t\tapp_title = frappe.get_hooks("app_title")[0]\n'
		'\t\tapp_details = frappe.get_hooks("add_to_apps_screen")\n',
		'\t\tapp_title = frappe.get_hooks("app_title", app_name=a)[0]\n'
		'\t\tapp_details = frappe.get_hooks("add_to_apps_screen", app_name=a)\n',
	),
	Correction(
		"the publisher of the module's own app",
		"merged hooks give the first app's: Frappe's",
		"model/module_utils.py",
		'\treturn frappe.get_hooks(hook="app_publisher")[0]\n',
		'\treturn frappe.get_hooks(hook="app_publisher", app_name=app)[0]\n',
	),
)

MISTAKES = (
	Correction(
		"type statement",
		"syntax of Python 3.12 in a package that says it needs 3.10",
		"desk/doctype/event/event.py",
		"\ttype EventLikeDict = Event | frappe._dict\n",
		"\tEventLikeDict = dict\n",
	),
	Correction(
		"no test log to clear",
		"the install imports a test module that the fork removed",
		"utils/install.py",
		"\tfrom frappe.tests.utils.generators import _clear_test_log\n\n\t_clear_test_log()\n",
		"",
	),
	Correction(
		"the scheduler calls the right function",
		"two functions have one name, so enqueue_events() calls itself and never initialises a site",
		"utils/scheduler.py",
		"\t\tenqueue_events()\n\n\ndef _get_scheduler_lock_file",
		"\t\tenqueue_events_for_site()\n\n\ndef _get_scheduler_lock_file",
	),
	Correction(
		"annotations are read though they are written as text",
		"every module of the fork imports annotations from __future__, and Frappe checks and converts no argument whose"
		" annotation is text: over GET the 0 of ignore_user_permissions stays the text 0, which is true, and no link field"
		" of Desk can be filled",
		"utils/typing_validations.py",
		"\tannotations = func.__annotations__\n",
		"\tannotations = _read_annotations(func)\n",
	),
	Correction(
		"how annotations are read",
		"names that are imported for type checkers only cannot be resolved; such a function is left unchecked",
		"utils/typing_validations.py",
		"def transform_parameter_types(",
		"@lru_cache(maxsize=2048)\n"
		"def _read_annotations(func: Callable) -> dict:\n"
		"\tfrom inspect import get_annotations\n\n"
		"\ttry:\n\t\treturn get_annotations(func, eval_str=True)\n"
		"\texcept NameError:\n\t\treturn func.__annotations__\n\n\n"
		"def transform_parameter_types(",
	),
	Correction(
		"the logo that is there",
		"the package has no frappe-logo.svg, so login page and Desk show a broken picture",
		"hooks.py",
		"/assets/frappe/images/frappe-logo.svg",
		"/assets/frappe/images/frappe-framework-logo.svg",
	),
	Correction(
		"DeprecationWarning is a builtin",
		"the module warnings has no such name",
		"testing/result.py",
		"warnings.DeprecationWarning",
		"DeprecationWarning",
	),
	Correction(
		"the flag in_test is set where it is read",
		"in v16 code asks frappe.in_test; the fork's switch sets only frappe.flags.in_test",
		"tests/utils.py",
		"\t_in_test_mode = enable\n\tfrappe.flags.in_test = enable\n",
		"\t_in_test_mode = frappe.in_test = enable\n\tfrappe.local.flags.in_test = enable\n",
	),
)

CORRECTIONS = (*SITES, *APPS, *MISTAKES)
