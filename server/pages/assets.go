package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"

	"github.com/gorilla/mux"

	"github.com/reseed-project/reseed/errcodes"
	"github.com/reseed-project/reseed/templates"
)

// assets are the files that pages load, under addresses that change with
// their content. Paths start behind the pages' base.
type assets struct {
	files  map[string]asset // by "hash/name"
	own    map[string]string
	styles map[*templates.Look]string
	logos  map[*templates.Look]string
	of     *templates.Pages // whose styles and logos these are
}

type asset struct {
	kind string
	body []byte
}

func newAssets(looks *templates.Pages) *assets {
	a := &assets{
		of:    looks,
		files: map[string]asset{}, own: map[string]string{},
		styles: map[*templates.Look]string{}, logos: map[*templates.Look]string{},
	}
	kinds := map[string]string{".css": "text/css;charset=utf-8", ".js": "text/javascript;charset=utf-8", ".svg": "image/svg+xml"}
	for _, name := range []string{"pages.css", "pages.js", "dev.css", "desk.css", "dev.js", "icon.svg"} {
		body, err := fs.ReadFile(pageFiles, "html/"+name)
		if err != nil { // can't be: it is embedded
			panic(err)
		}
		a.own[name] = a.add(name, kinds[path.Ext(name)], body)
	}
	for _, look := range looks.Looks() {
		a.styles[look] = a.add("look.css", kinds[".css"], []byte(look.Style))
		if look.LogoType != "" {
			a.logos[look] = a.add("logo"+path.Ext(look.Logo), look.LogoType, look.LogoData)
		}
	}
	return a
}

// assetsOf returns the assets for the looks there are now: they change when the
// templates folder is read again.
func (p *Pages) assetsOf(looks *templates.Pages) *assets {
	a := p.assets.Load()
	if a == nil || a.of != looks {
		a = newAssets(looks)
		p.assets.Store(a)
	}
	return a
}

// add keeps a file and returns its path.
func (a *assets) add(name, kind string, body []byte) string {
	sum := sha256.Sum256(body)
	key := hex.EncodeToString(sum[:8]) + "/" + name
	a.files[key] = asset{kind, body}
	return "/assets/" + key
}

// showAsset serves a file. An operator's SVG could hold a script: opened by
// itself it must not run.
func (p *Pages) showAsset(v *pageRequest) (*reply, error) {
	vars := mux.Vars(v.Request)
	file, ok := v.assets.files[vars["hash"]+"/"+vars["file"]]
	if !ok {
		return nil, errcodes.New(errcodes.NoSuchService)
	}
	a := newReply(200, file.kind, file.body)
	a.header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox")
	a.header.Set("Cross-Origin-Resource-Policy", "same-origin")
	return a, nil
}
